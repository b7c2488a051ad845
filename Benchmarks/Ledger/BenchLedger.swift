import Billing
import Foundation

/// A ledger in a folder of its own, with a hundred callers of twenty algorithms that cost compute and a royalty.
final class BenchLedger: Sendable {
    private static let callers = 100
    private static let algorithms = 20

    let ledger: Ledger
    let path: String
    private let folder: String
    private let mode: ChargeRow.Mode

    init(in parent: String, mode: ChargeRow.Mode) async throws {
        self.mode = mode
        folder = parent + "/ledger-bench-\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        path = folder + "/ledger.db"
        var limits = LedgerLimits()
        if mode == .durable { limits.durableHoldMin = .zero }
        ledger = try Ledger(path: path, limits: limits) { error in fatalError("\(error)") }
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
        let call = call(number)
        do {
            let claim = try claim(call)
            let hold = try await ledger.admit(call)
            let usage = UsageRecord(
                outcome: .ok,
                startMicroseconds: 1_795_430_000_000_000,
                wall: .microseconds(1000 + number % 5000),
                cpu: .microseconds(500 + number % 1000)
            )
            let kept = claim.map { KeptAnswer(claim: $0, status: 200, response: Self.answer) }
            _ = try await ledger.settle(hold, usage, keeping: kept)
            latencies.note(.now - due)
        } catch let refusal as Refusal where refusal.kind == .queueFull {
            latencies.refuse()
        } catch {
            print("charge \(number): \(error)")
            exit(1)
        }
    }

    private static let answer = [UInt8](repeating: 7, count: 100)

    private func claim(_ call: CallDescription) throws -> KeyClaim? {
        guard mode == .key else { return nil }
        let key = call.invocation.description
        let request = [UInt8](repeating: 1, count: 32)
        guard case .claimed(let claim) = try ledger.claim(key: key, request: request, account: call.account) else {
            throw Usage(argument: "key \(key)")
        }
        return claim
    }

    // As in the daemon, these names are there before the call.
    private static let accounts = (0..<callers).map { "caller\($0)" }
    private static let keys = (0..<callers).map { "key\($0)" }
    private static let names = (0..<algorithms).map { "author\($0)/algorithm" }
    private static let versions = (0..<algorithms).map { "1.0.\($0)" }

    func call(_ number: Int) -> CallDescription {
        let (caller, version) = (number % Self.callers, number % Self.algorithms)
        return CallDescription(
            invocation: InvocationID(),
            account: Self.accounts[caller],
            keyID: Self.keys[caller],
            algorithm: Self.names[version],
            versionID: Int64(version),
            version: Self.versions[version],
            cpus: 1,
            wallLimit: .seconds(300),
            deadline: .now + .seconds(60)
        )
    }

    func remove() {
        ledger.close()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
