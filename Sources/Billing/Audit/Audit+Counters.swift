import SQLite

/// The quota counters as they are stored.
struct StoredCounters {
    /// What is counted; zero for a quota whose counter is missing.
    private(set) var used: [CounterSums.Key: Int64] = [:]
    /// Rows whose metric is none.
    private var unknown: [(scope: String, metric: String)] = []

    init(_ connection: Connection) throws(SQLiteError) {
        let rows = try connection.query("SELECT scope, metric, period, used FROM quota_used") {
            (row) throws(SQLiteError) in (row.string(0), row.string(1), row.int64(2), row.int64(3))
        }
        for (scope, name, window, count) in rows {
            if let metric = QuotaMetric(rawValue: name), metric.window != nil {
                used[CounterSums.Key(scope: scope, metric: metric, window: window)] = count
            } else {
                unknown.append((scope, name))
            }
        }
        try addMissing(connection)
    }

    /// A quota whose counter of the last block's window is missing counts as zero.
    private mutating func addMissing(_ connection: Connection) throws(SQLiteError) {
        let now = try connection.query("SELECT coalesce(max(ts_us),0) FROM block") { (row) throws(SQLiteError) in
            row.int64(0)
        }
        let quotas = try connection.query("SELECT scope, metric FROM quota") { (row) throws(SQLiteError) in
            (row.string(0), row.string(1))
        }
        for (scope, name) in quotas {
            guard let metric = QuotaMetric(rawValue: name), let window = metric.window else { continue }
            let key = CounterSums.Key(scope: scope, metric: metric, window: window.index(at: now.first ?? 0))
            if used[key] == nil { used[key] = 0 }
        }
    }

    var scopes: Set<String> { Set(used.keys.map(\.scope)) }

    func compare(with sums: [CounterSums.Key: Int64], _ findings: inout Findings) {
        findings.examined += Int64(used.count + unknown.count)
        for (scope, metric) in unknown { findings.add("\(scope): unknown metric \(metric)") }
        for (key, used) in used.sorted(by: { ($0.key.scope, $0.key.window) < ($1.key.scope, $1.key.window) }) {
            let due = sums[key] ?? 0
            guard used != due else { continue }
            let unit = key.metric == .cpuSecondsMonth ? "µs" : "microcredits"
            let name = "\(key.metric.rawValue) of \(key.scope) in window \(key.window)"
            findings.add("\(name): \(used) \(unit) counted, \(due) by usage")
        }
    }
}
