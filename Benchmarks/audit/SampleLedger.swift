import Billing
import Foundation

/// A ledger full of calls, made through the ledger itself.
enum SampleLedger {
    private static let accounts = 100

    /// Fills a new ledger: half of the calls owe a royalty, so that a record has two transfers on average; one account has
    /// spend caps and one algorithm a CPU quota.
    ///
    /// - Parameters:
    ///   - path: a file that does not exist.
    ///   - records: how many calls are charged.
    ///   - callsAtOnce: how many tasks charge them; about so many records share a block.
    /// - Throws: what the ledger throws.
    static func make(path: String, records: Int, callsAtOnce: Int) async throws {
        let ledger = try Ledger(path: path) { error in fatalError("\(error)") }
        for place in 0..<accounts {
            try await ledger.openAccount("user\(place)")
            let (account, ref) = ("user\(place)", "first-\(place)")
            try await ledger.topUp(account: account, amount: Microcredits(credits: "1000000"), ref: ref, actor: "bench")
        }
        for version in stride(from: Int64(0), to: 20, by: 2) {
            let (algorithm, author) = ("author\(version)/algorithm", "author\(version)")
            let royalty = try Microcredits(credits: "0.005")
            try await ledger.setRoyalty(versionID: version, algorithm: algorithm, author: author, perCall: royalty)
        }
        try await ledger.setQuota(QuotaScope("account:user7"), .spendDay, limit: 1 << 50, actor: "bench")
        try await ledger.setQuota(QuotaScope("account:user7"), .spendMonth, limit: 1 << 50, actor: "bench")
        try await ledger.setQuota(
            QuotaScope("algorithm:author3/algorithm"),
            .cpuSecondsMonth,
            limit: 1 << 30,
            actor: "b"
        )
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<callsAtOnce {
                let share = records / callsAtOnce + (task < records % callsAtOnce ? 1 : 0)
                group.addTask { await run(ledger, account: "user\(task % accounts)", calls: share) }
            }
        }
        ledger.close()
    }

    private static func run(_ ledger: Ledger, account: String, calls: Int) async {
        for place in 0..<calls {
            let version = Int64((place + account.count) % 20)
            let call = CallDescription(
                invocation: InvocationID(),
                account: account,
                keyID: "key_\(account)abcdefgh",
                algorithm: "author\(version)/algorithm",
                versionID: version,
                version: "1.0.0",
                cpus: 1,
                wallLimit: .seconds(1),
                deadline: .now + .seconds(60)
            )
            let milliseconds = 1 + place % 90
            let usage = UsageRecord(
                outcome: place % 50 == 0 ? .algorithmError : .ok,
                startMicroseconds: Int64(Date.now.timeIntervalSince1970 * 1_000_000),
                wall: .milliseconds(milliseconds),
                cpu: .milliseconds(milliseconds),
                memoryLimitBytes: 512 << 20,
                memoryPeakBytes: 30 << 20,
                bytesIn: 100,
                bytesOut: 1000
            )
            do {
                _ = try await ledger.settle(try await ledger.admit(call), usage)
            } catch {
                fatalError("\(account): \(error)")
            }
        }
    }
}
