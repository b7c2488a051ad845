import SQLite

extension LedgerFile {
    /// Sets or removes a quota, unless somebody else has changed it meanwhile.
    func record(_ order: QuotaOrder) throws(SQLiteError) -> Result<Answer, LedgerError> {
        let rev = quotas[order.scope]?[order.metric]?.rev ?? 0
        if let asked = order.ifRev, asked != rev {
            let words = rev == 0 ? "is not set (revision 0)" : "is at revision \(rev)"
            let detail =
                "quota \(order.scope) \(order.metric.rawValue) \(words), not \(asked); look at it and try again"
            return .failure(LedgerError(.conflict, detail))
        }
        guard let limit = order.limit else {
            return .success(.removed(try unsetQuota(scope: order.scope, metric: order.metric, actor: order.actor)))
        }
        return .success(
            .quota(try setQuota(scope: order.scope, metric: order.metric, limit: limit, actor: order.actor))
        )
    }

    /// Sets a quota; a new budget starts with what its window has used already.
    private func setQuota(
        scope: String,
        metric: QuotaMetric,
        limit: Int64,
        actor: String
    ) throws(SQLiteError) -> Quota {
        let before = quotas[scope]?[metric]
        // Its record in the log, below: no number comes twice, even if the quota is removed and set again.
        let quota = Quota(scope: scope, metric: metric, limit: limit, rev: adminLog.lastID + 1)
        try connection.run(
            """
            INSERT INTO quota(scope, metric, limit_, rev) VALUES (?, ?, ?, ?)
            ON CONFLICT(scope, metric) DO UPDATE SET limit_ = excluded.limit_, rev = excluded.rev
            """,
            .text(scope),
            .text(metric.rawValue),
            .integer(limit),
            .integer(quota.rev)
        )
        try log(
            actor: actor,
            verb: "quota set",
            subject: "\(scope) \(metric.rawValue)",
            before: before.map { "\($0.limit)" },
            after: "\(limit)"
        )
        keep(quota)
        if before == nil, metric != .unpaidCPUDay, let window = metric.window {
            let index = window.index(at: ledgerMicroseconds)
            let used = try used(scope: scope, metric: metric, since: window.start(of: index))
            counters[scope, default: [:]][metric] = WindowCounter(window: index, used: used)
            touchedCounters.insert(QuotaKey(scope: scope, metric: metric))
        }
        changes.quotas[QuotaKey(scope: scope, metric: metric)] = quota
        return quota
    }

    /// Puts a quota into the caches.
    func keep(_ quota: Quota) {
        quotas[quota.scope, default: [:]][quota.metric] = quota
        if QuotaMetric.budgets.contains(quota.metric) { budgetScopes.insert(quota.scope) }
    }

    /// Removes a quota with its counters; they could not be kept up to date.
    private func unsetQuota(scope: String, metric: QuotaMetric, actor: String) throws(SQLiteError) -> Bool {
        guard let before = quotas[scope]?.removeValue(forKey: metric) else { return false }
        if quotas[scope]?.isEmpty == true { quotas[scope] = nil }
        if quotas[scope]?.keys.contains(where: QuotaMetric.budgets.contains) != true { budgetScopes.remove(scope) }
        try connection.run("DELETE FROM quota WHERE scope = ? AND metric = ?", .text(scope), .text(metric.rawValue))
        // Unpaid CPU time is counted without a quota too.
        if metric != .unpaidCPUDay {
            counters[scope]?[metric] = nil
            touchedCounters.remove(QuotaKey(scope: scope, metric: metric))
            try connection.run(
                "DELETE FROM quota_used WHERE scope = ? AND metric = ?",
                .text(scope),
                .text(metric.rawValue)
            )
        }
        let subject = "\(scope) \(metric.rawValue)"
        try log(actor: actor, verb: "quota unset", subject: subject, before: "\(before.limit)", after: nil)
        changes.quotas[QuotaKey(scope: scope, metric: metric)] = .some(nil)
        return true
    }

    /// Sums the usage of a scope since a moment, in counter units.
    private func used(scope: String, metric: QuotaMetric, since start: Int64) throws(SQLiteError) -> Int64 {
        var conditions = ["seq >= ?"]
        var values: [Value] = [.integer(try firstUsage(since: start))]
        for part in scope.split(separator: "+") {
            let name = String(part.drop { $0 != ":" }.dropFirst())
            switch part.prefix(while: { $0 != ":" }) {
            case "account":
                conditions.append("payer = ?")
                values.append(.integer(callers[name]?.id ?? -1))
            case "key":
                conditions.append("api_key = ?")
                values.append(.text(name))
            default:
                conditions.append("algorithm = ? COLLATE NOCASE")
                values.append(.text(name))
            }
        }
        let column = metric == .cpuSecondsMonth ? "billed_cpu_us" : "amount_ucr"
        let condition = conditions.joined(separator: " AND ")
        let statement = try connection.prepare("SELECT coalesce(sum(\(column)),0) FROM usage WHERE \(condition)")
        try statement.bind(values)
        let sum = try statement.step() ? statement.int64(0) : 0
        statement.reset()
        return sum
    }

    /// The first usage record since a moment: records are dense and in order of time, so it is found by halving.
    private func firstUsage(since start: Int64) throws(SQLiteError) -> Int64 {
        var (low, high) = (Int64(1), usage.lastID + 1)
        while low < high {
            let middle = low + (high - low) / 2
            let time = try first("SELECT ts_us FROM usage WHERE seq = ?", .integer(middle)) ?? 0
            if time < start { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
