import Synchronization

extension Ledger {
    /// Sets a quota; calls that run already count against it, and finish whatever it says.
    ///
    /// - Parameters:
    ///   - scope: what it applies to.
    ///   - metric: what it counts.
    ///   - limit: 0 … the metric's largest, in the metric's unit; 0 forbids.
    ///   - ifRev: the revision that the quota must be at, 0 for one that is not set, so that two administrators do not
    ///     overwrite each other; nil for any.
    ///   - actor: who did it, for the record.
    /// - Returns: the quota with its revision.
    /// - Throws: `LedgerError`: `.invalid` when the limit is out of range or the metric does not count in that scope,
    ///   `.conflict` with the revision it is at.
    @discardableResult
    public func setQuota(
        _ scope: QuotaScope,
        _ metric: QuotaMetric,
        limit: Int64,
        ifRev: Int64? = nil,
        actor: String
    ) async throws(LedgerError) -> Quota {
        guard scope.isCounted(by: metric) else {
            throw LedgerError(BillingError("metric", metric.rawValue, scope.metricsRule))
        }
        guard (0...metric.limitMax).contains(limit) else {
            throw LedgerError(BillingError("limit", "\(limit)", "0 to \(metric.limitMax) \(metric.unit)"))
        }
        let order = QuotaOrder(scope: scope.text, metric: metric, limit: limit, ifRev: ifRev, actor: actor)
        guard case .quota(let quota) = try await administer(.quota(order)) else {
            throw LedgerError(.conflict, "the writer answered a quota with something else")
        }
        return quota
    }

    /// Removes a quota.
    ///
    /// - Parameters:
    ///   - scope: what it applies to.
    ///   - metric: what it counts.
    ///   - ifRev: the revision that the quota must be at; nil for any.
    ///   - actor: who did it, for the record.
    /// - Returns: whether there was one.
    /// - Throws: `LedgerError`; `.conflict` with the revision it is at.
    @discardableResult
    public func unsetQuota(
        _ scope: QuotaScope,
        _ metric: QuotaMetric,
        ifRev: Int64? = nil,
        actor: String
    ) async throws(LedgerError) -> Bool {
        let order = QuotaOrder(scope: scope.text, metric: metric, limit: nil, ifRev: ifRev, actor: actor)
        guard case .removed(let removed) = try await administer(.quota(order)) else {
            throw LedgerError(.conflict, "the writer answered a quota with something else")
        }
        return removed
    }

    /// The quotas that are set, by scope and metric.
    ///
    /// - Parameters:
    ///   - scope: only those of this scope.
    ///   - metric: only those of this metric.
    /// - Returns: the quotas, sorted.
    public func quotas(scope: QuotaScope? = nil, metric: QuotaMetric? = nil) -> [Quota] {
        state.withLock { state in
            state.scopes.values.flatMap(\.quotas.values)
                .filter { (scope == nil || $0.scope == scope?.text) && (metric == nil || $0.metric == metric) }
        }
        .sorted { ($0.scope, $0.metric.rawValue) < ($1.scope, $1.metric.rawValue) }
    }

    /// Explains which limits a call would meet, and which of them leaves the least.
    ///
    /// - Parameters:
    ///   - account: who pays.
    ///   - keyID: the API key.
    ///   - algorithm: `OWNER/NAME`.
    /// - Returns: one entry for each metric.
    public func explain(account: String, keyID: String, algorithm: String) -> [QuotaExplanation] {
        var scopes = QuotaScope.matching(account: account, keyID: keyID, algorithm: algorithm)
        scopes.append(QuotaScope.author(of: algorithm))
        let now = moment
        return state.withLock { state in
            QuotaMetric.allCases.filter { !$0.isOfWorkers }.map { metric in
                let chain = scopes.compactMap { state.link($0, metric, account: account, at: now) }
                let binding = chain.min { $0.limit - $0.used < $1.limit - $1.used }
                return QuotaExplanation(metric: metric, binding: binding, chain: chain)
            }
        }
    }
}

extension AdmissionState {
    fileprivate func link(
        _ scope: String,
        _ metric: QuotaMetric,
        account: String,
        at moment: Moment
    ) -> QuotaExplanation.Link? {
        let isAccount = scope == "account:\(account)"
        let standard = standard(scope, metric, isAccount: isAccount)
        guard let limit = scopes[scope]?.quotas[metric]?.limit ?? standard else { return nil }
        let now = max(moment.unixMicroseconds, ledgerMicroseconds)
        var used: Int64 = 0
        switch metric {
        case .requestsPerSecond: used = scopes[scope]?.limiter?.used(at: moment.monotonicNanoseconds) ?? 0
        case .concurrentCalls: used = isAccount ? accounts[account]?.running ?? 0 : scopes[scope]?.running ?? 0
        case .spendDay, .spendMonth, .cpuSecondsMonth:
            let budget = scopes[scope]?.budgets(scope: scope, now: now).first { $0.metric == metric }
            used = budget.map { ($0.captured + $0.held + $0.scale - 1) / $0.scale } ?? 0
        case .unpaidCPUDay:
            let window = metric.window?.index(at: now) ?? 0
            used = ((unpaid[scope]?.used(in: window) ?? 0) + metric.scale - 1) / metric.scale
        case .workersMax, .workersWarm, .workersReserved: break
        }
        return .init(scope: scope, limit: limit, used: used, reset: metric.window?.resetSeconds(at: now))
    }

    /// What holds in a scope when no quota says otherwise.
    private func standard(_ scope: String, _ metric: QuotaMetric, isAccount: Bool) -> Int64? {
        switch metric {
        case .concurrentCalls: return isAccount ? limits.concurrentCallsDefault : nil
        case .unpaidCPUDay:
            let isPair = scope.contains("+")
            let isAuthor = scope.hasPrefix("author:")
            guard isAccount || isPair || isAuthor else { return nil }
            let limit = isPair ? limits.unpaidCPUPair : isAuthor ? limits.unpaidCPUAuthor : limits.unpaidCPUAccount
            return limit.wholeMicroseconds / metric.scale
        default: return nil
        }
    }
}
