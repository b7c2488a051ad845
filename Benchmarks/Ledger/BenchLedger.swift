import Billing
import Foundation

/// A ledger in a folder of its own, with a hundred callers of twenty algorithms that cost compute and a royalty.
final class BenchLedger: Sendable {
    private static let callers = 100
    private static let algorithms = 20

    let ledger: Ledger
    let path: String
    private let folder: String

    init(in parent: String) async throws {
        folder = parent + "/ledger-bench-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        path = folder + "/ledger.db"
        ledger = try Ledger(path: path) { error in fatalError("\(error)") }
        for caller in 0..<Self.callers {
            try await ledger.openAccount("caller\(caller)")
            let amount = try Microcredits(credits: "1000000000")
            try await ledger.topUp(account: "caller\(caller)", amount: amount, ref: "\(caller)", actor: "bench")
            _ = try await ledger.setQuota(
                try QuotaScope("account:caller\(caller)"),
                .concurrentCalls,
                limit: 100_000,
                actor: "bench"
            )
        }
        for version in 0..<Self.algorithms {
            try await ledger.setRoyalty(
                versionID: Int64(version),
                algorithm: "author\(version)/algorithm",
                author: "author\(version)",
                perCall: Microcredits(rawValue: 1000)
            )
        }
    }

    func warmUp() async throws {
        let latencies = Latencies(capacity: 20_000)
        await withDiscardingTaskGroup { group in
            for task in 0..<100 {
                group.addTask {
                    for number in 0..<200 { await self.charge(task * 200 + number, due: .now, latencies) }
                }
            }
        }
    }

    func charge(_ number: Int, due: ContinuousClock.Instant, _ latencies: Latencies) async {
        let version = number % Self.algorithms
        let call = CallDescription(
            invocation: InvocationID(),
            account: "caller\(number % Self.callers)",
            keyID: "key\(number % Self.callers)",
            algorithm: "author\(version)/algorithm",
            versionID: Int64(version),
            version: "1.0.\(version)",
            cpus: 1,
            wallLimit: .seconds(300),
            deadline: .now + .seconds(60)
        )
        do {
            let hold = try await ledger.admit(call)
            let usage = UsageRecord(
                outcome: .ok,
                startMicroseconds: 1_795_430_000_000_000,
                wall: .microseconds(1000 + number % 5000),
                cpu: .microseconds(500 + number % 1000)
            )
            _ = try await ledger.settle(hold, usage)
            latencies.note(.now - due)
        } catch {
            print("charge \(number): \(error)")
            exit(1)
        }
    }

    func remove() {
        ledger.close()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
