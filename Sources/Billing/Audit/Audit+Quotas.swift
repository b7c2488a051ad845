import SQLite

extension Audit {
    /// A counter's name: scope, metric and the number of its window.
    private struct Key: Hashable {
        let scope: String
        let metric: QuotaMetric
        let window: Int64
    }

    func countersEqualUsage(_ findings: inout Findings) throws(SQLiteError) {
        var stored: [Key: Int64] = [:]
        try each("SELECT scope, metric, period, used FROM quota_used") { (row) throws(SQLiteError) in
            findings.examined += 1
            guard let metric = QuotaMetric(rawValue: row.string(1)) else {
                return findings.add("\(row.string(0)): unknown metric \(row.string(1))")
            }
            stored[Key(scope: row.string(0), metric: metric, window: row.int64(2))] = row.int64(3)
        }
        try addMissing(to: &stored)
        let sums = try sums(of: stored)
        for (key, used) in stored.sorted(by: { ($0.key.scope, $0.key.window) < ($1.key.scope, $1.key.window) }) {
            let due = sums[key] ?? 0
            guard used != due else { continue }
            let unit = key.metric == .cpuSecondsMonth ? "µs" : "microcredits"
            let name = "\(key.metric.rawValue) of \(key.scope) in window \(key.window)"
            findings.add("\(name): \(used) \(unit) counted, \(due) by usage")
        }
    }

    /// A quota whose counter of the last block's window is missing counts as zero.
    private func addMissing(to stored: inout [Key: Int64]) throws(SQLiteError) {
        var now: Int64 = 0
        try each("SELECT coalesce(max(ts_us),0) FROM block") { (row) throws(SQLiteError) in now = row.int64(0) }
        var found: [Key] = []
        try each("SELECT scope, metric FROM quota") { (row) throws(SQLiteError) in
            guard let metric = QuotaMetric(rawValue: row.string(1)), let window = metric.window else { return }
            found.append(Key(scope: row.string(0), metric: metric, window: window.index(at: now)))
        }
        for key in found where stored[key] == nil && key.metric != .unpaidCPUDay { stored[key] = 0 }
    }

    private func sums(of stored: [Key: Int64]) throws(SQLiteError) -> [Key: Int64] {
        guard !stored.isEmpty else { return [:] }
        let scopes = Set(stored.keys.map(\.scope))
        var sums: [Key: Int64] = [:]
        let sql = """
            SELECT a.owner, u.api_key, u.algorithm, u.amount_ucr, u.billed_cpu_us, u.ts_us, u.outcome,
              u.cpu_us, coalesce(u.load_cpu_us,0), coalesce(u.absorbed,0), u.replay_of IS NOT NULL, u.policy
            FROM usage u JOIN account a ON a.id = u.payer
            """
        try each(sql) { (row) throws(SQLiteError) in
            let matching = QuotaScope.matching(account: row.string(0), keyID: row.string(1), algorithm: row.string(2))
            for scope in matching where scopes.contains(scope) {
                for metric in QuotaMetric.budgets {
                    guard let window = metric.window?.index(at: row.int64(5)) else { continue }
                    let amount = metric == .cpuSecondsMonth ? row.int64(4) : row.int64(3)
                    sums[Key(scope: scope, metric: metric, window: window), default: 0] &+= amount
                }
            }
            guard let unpaid = Self.unpaid(row), let window = QuotaMetric.unpaidCPUDay.window else { return }
            let author = QuotaScope.author(of: row.string(2))
            let kinds: [(Allowance.Kind, String)] = [(.account, matching[0]), (.author, author), (.pair, matching[3])]
            for (kind, scope) in kinds where unpaid.payers.include(kind) {
                let key = Key(scope: scope, metric: .unpaidCPUDay, window: window.index(at: row.int64(5)))
                sums[key, default: 0] &+= unpaid.microseconds
            }
        }
        return sums
    }

    /// CPU time of a record that nobody paid for; policy 1 did not count it.
    private static func unpaid(_ row: borrowing Statement) -> (microseconds: Int64, payers: Allowance.Payers)? {
        guard
            let outcome = Outcome(rawValue: row.int(6)), let policy = PayPolicy(rawValue: row.int64(11)),
            policy == .two, outcome != .platformFault
        else { return nil }
        let all = row.int64(7) &+ row.int64(8)
        if row.bool(10) { return (all, .account) }
        return policy.callerPaysCompute(outcome, isAbsorbed: row.bool(9)) ? (row.int64(8), .author) : (all, .everyone)
    }
}
