/// The rule on which a waiting call waits.
struct WaitReason: Sendable, Equatable {
    let metric: QuotaMetric?
    let scope: String

    var isConcurrency: Bool { metric == .concurrentCalls }
}

/// What becomes of a call now.
enum Verdict: Sendable {
    case admit(wall: Int64, ceiling: Bool)
    case wait(WaitReason)
    case refuse(Refusal)
}

extension AdmissionState {
    /// Judges a call by everything but its rate, in the order: hopeless budgets, concurrency, contended budgets.
    func verdict(_ pending: PendingCall, at moment: Moment) -> Verdict {
        guard let account = accounts[pending.call.account] else {
            return .refuse(.accountUnknown(pending.call.account))
        }
        let now = max(moment.unixMicroseconds, ledgerMicroseconds)
        let budgets = budgets(for: pending, account: account, now: now)
        let decision = decide(budgets: budgets, cost: pending.cost, wall: pending.wall)
        if case .refuse(let budget, let needed) = decision {
            let account = pending.call.account
            return .refuse(.budget(budget, needed: needed, account: account, nowMicroseconds: now))
        }
        if let slots = fullSlots(for: pending, account: account) {
            let mayWait = slots.limit > 0 && moment.instant < pending.concurrencyDeadline
            guard mayWait else {
                return .refuse(.concurrency(scope: slots.scope, limit: slots.limit, running: slots.running))
            }
            return .wait(WaitReason(metric: .concurrentCalls, scope: slots.scope))
        }
        switch decision {
        case .grant(let wall, let ceiling): return .admit(wall: wall, ceiling: ceiling)
        case .wait(let budget), .refuse(let budget, _):
            return .wait(WaitReason(metric: budget.metric, scope: budget.scope))
        }
    }

    /// The refusal of a call whose time to wait is over, with the figures of the rule it waited on.
    func overdue(_ pending: PendingCall, reason: WaitReason, at moment: Moment) -> Refusal {
        guard let account = accounts[pending.call.account] else { return .accountUnknown(pending.call.account) }
        let now = max(moment.unixMicroseconds, ledgerMicroseconds)
        let budgets = budgets(for: pending, account: account, now: now)
        if !reason.isConcurrency,
            let budget = budgets.first(where: { $0.metric == reason.metric && $0.scope == reason.scope })
        {
            let needed = pending.cost.need(budget, wall: pending.wall)
            return .budget(budget, needed: needed, account: pending.call.account, nowMicroseconds: now)
        }
        let slots = fullSlots(for: pending, account: account)
        return .concurrency(
            scope: slots?.scope ?? reason.scope,
            limit: slots?.limit ?? limits.concurrentCallsDefault,
            running: slots?.running ?? account.running
        )
    }

    /// Checks and takes the rate of every scope at once: all pass or none is taken.
    mutating func takeRate(_ scopes: [String], now: Int64) -> Refusal? {
        for scope in scopes {
            guard let limiter = self.scopes[scope]?.limiter else { continue }
            let wait = limiter.wait(at: now)
            guard wait == 0 else { return .rate(scope: scope, limiter: limiter, now: now, wait: wait) }
        }
        for scope in scopes { self.scopes.change(scope) { $0.limiter?.take(at: now) } }
        return nil
    }

    func budgets(for pending: PendingCall, account: AccountState, now: Int64) -> [Budget] {
        var budgets = [
            Budget(
                metric: nil,
                scope: pending.accountScope,
                limit: account.limit(at: now),
                captured: account.debits,
                held: account.held
            )
        ]
        for scope in pending.scopes {
            guard let state = scopes[scope] else { continue }
            budgets += state.budgets(scope: scope, now: now)
        }
        return budgets
    }

    private func fullSlots(
        for pending: PendingCall,
        account: AccountState
    ) -> (scope: String, limit: Int64, running: Int64)? {
        for scope in pending.scopes {
            let isAccount = scope == pending.accountScope
            let running = isAccount ? account.running : scopes[scope]?.running ?? 0
            let quota = scopes[scope]?.quotas[.concurrentCalls]?.limit
            guard let limit = quota ?? (isAccount ? limits.concurrentCallsDefault : nil) else { continue }
            if running >= limit { return (scope, limit, running) }
        }
        return nil
    }
}

extension ScopeState {
    func budgets(scope: String, now: Int64) -> [Budget] {
        QuotaMetric.budgets.compactMap { metric in
            guard let quota = quotas[metric], let window = metric.window else { return nil }
            return Budget(
                metric: metric,
                scope: scope,
                limit: quota.limit * metric.scale,
                captured: counters[metric]?.used(in: window.index(at: now)) ?? 0,
                held: metric == .cpuSecondsMonth ? heldCPU : heldMoney
            )
        }
    }
}

extension QuotaMetric {
    /// The metrics that count over a calendar window.
    static let budgets: [QuotaMetric] = [.spendDay, .spendMonth, .cpuSecondsMonth]

    /// The largest limit; such that counters stay below 2⁵³.
    var limitMax: Int64 {
        switch self {
        case .requestsPerSecond: RateLimiter.limitMax
        case .workersMax, .workersWarm, .workersReserved: 1_000
        default: Microcredits.maximum.rawValue / scale
        }
    }
}
