import Billing

/// The accounts, algorithms and quotas of a run; the same for the same seed.
struct Scene: Sendable {
    struct Version: Sendable {
        let id: Int64
        let algorithm: String
        let author: String
        let royalty: Int64
    }

    /// One of them has little credit, so that holds contend and calls are cut short.
    static let accountCount: Int64 = 6
    static let poor = "caller-0"
    static let capped = "caller-1"
    static let cappedMicrocredits: Int64 = 40_000_000

    let accounts: [String]
    let versions: [Version]
    let startMicroseconds: Int64

    init(seed: Int64, startMicroseconds: Int64 = 1_795_430_000_000_000) {
        self.startMicroseconds = startMicroseconds
        var dice = Dice(seed: seed, stream: 77)
        accounts = (0..<Self.accountCount).map { "caller-\($0)" }
        let royalties: [Int64] = [0, 1, 2, 3, 333, 4_999, 5_000, 10_001, 1_000_000, 123_456_789]
        versions = (Int64(1)...24).map { id in
            let royalty = id % 6 == 0 ? dice.below(2_000_000) : royalties[Int(id) % royalties.count]
            let algorithm = "author-\(id % 5)/Algorithm\(id % 7)"
            return Version(id: id, algorithm: algorithm, author: "author-\(id % 5)", royalty: royalty)
        }
    }

    /// Brings a ledger, new or old, to where the run begins; doing it again changes nothing.
    func prepare(_ ledger: Ledger) async throws {
        for account in accounts {
            try await ledger.openAccount(account)
            let amount: Int64 = account == Self.poor ? 30_000_000 : 1 << 50
            try await ledger.topUp(
                account: account,
                amount: .init(rawValue: amount),
                ref: "first \(account)",
                actor: "driver"
            )
        }
        // The last version has no royalty fixed at all.
        for version in versions.dropLast() {
            try await ledger.setRoyalty(
                versionID: version.id,
                algorithm: version.algorithm,
                author: version.author,
                perCall: .init(rawValue: version.royalty)
            )
        }
        let known = Set(ledger.quotas().map { "\($0.scope) \($0.metric.rawValue)" })
        for (scope, metric, limit) in Self.quotas where !known.contains("\(scope) \(metric.rawValue)") {
            try await ledger.setQuota(QuotaScope(scope), metric, limit: limit, actor: "driver")
        }
    }

    /// Limits that only count, and one that refuses.
    private static let quotas: [(String, QuotaMetric, Int64)] = [
        ("account:\(capped)", .spendDay, cappedMicrocredits),
        ("account:caller-2", .spendMonth, 1 << 52),
        ("algorithm:author-1/algorithm1", .spendDay, 1 << 52),
        ("key:key-1", .cpuSecondsMonth, 1 << 32),
        ("account:caller-3+algorithm:author-2/algorithm2", .spendMonth, 1 << 52),
    ]

    /// The next call of a task; it does not wait long for what others hold.
    func call(_ dice: inout Dice, account: String, replayOf: InvocationID?) -> CallDescription {
        let version = dice.pick(versions)
        return CallDescription(
            invocation: dice.invocation(),
            account: account,
            keyID: "key-\(dice.below(3))",
            algorithm: version.algorithm,
            versionID: version.id,
            version: "1.0.\(version.id)",
            cpus: Int(dice.below(4)) + 1,
            wallLimit: .microseconds(dice.pick([1, 999, 1000, 1001, 50_000, 250_000, 3_000_000])),
            deadline: .now + .milliseconds(50),
            replayOf: replayOf
        )
    }

    /// What a call that was granted so much is said to have used: around every edge, and beyond the grant.
    func usage(_ dice: inout Dice, granted: Duration) -> UsageRecord {
        let grantedMicroseconds =
            granted.components.seconds * 1_000_000 + granted.components.attoseconds / 1_000_000_000_000
        let wall = dice.pick([
            0, 1, 999, 1000, 1001, grantedMicroseconds - 1, grantedMicroseconds, grantedMicroseconds + 1,
        ])
        let any = dice.below(max(1, grantedMicroseconds + grantedMicroseconds / 5))
        let outcomes = Outcome.allCases + Array(repeating: Outcome.ok, count: 12)
        return UsageRecord(
            outcome: dice.pick(outcomes),
            startMicroseconds: startMicroseconds + dice.below(86_400_000_000),
            wall: .microseconds(dice.chance(percent: 50) ? max(0, wall) : any),
            cpu: .microseconds(dice.below(4 * max(1, grantedMicroseconds))),
            queue: .microseconds(dice.below(1000)),
            load: .microseconds(dice.below(100_000)),
            loadCPU: .microseconds(dice.chance(percent: 30) ? dice.below(100_000) : 0),
            warm: dice.chance(percent: 50),
            memoryLimitBytes: 256 << 20,
            memoryPeakBytes: dice.below(256 << 20),
            bytesIn: dice.below(10 << 20),
            bytesOut: dice.below(10 << 20)
        )
    }
}
