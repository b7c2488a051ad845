extension AdmissionState {
    /// Takes over what a commit has changed.
    mutating func apply(_ changes: CommittedChanges) {
        ledgerMicroseconds = max(ledgerMicroseconds, changes.ledgerMicroseconds)
        for (name, committed) in changes.accounts {
            let (held, running, swept) = accounts[name].map { ($0.held, $0.running, $0.sweptMicroseconds) } ?? (0, 0, 0)
            var account = committed
            (account.held, account.running, account.sweptMicroseconds) = (held, running, swept)
            accounts[name] = account
        }
        royalties.merge(changes.royalties) { _, new in new }
        for (key, quota) in changes.quotas { apply(quota, key: key) }
        for (scope, counters) in changes.counters {
            if let counter = counters[.unpaidCPUDay] { unpaid[scope] = counter }
            scopes[scope]?.counters.merge(counters) { _, new in new }
        }
    }

    /// The same for a commit of the running ledger: also closes its holds and lets waiting calls move up.
    mutating func apply(_ changes: CommittedChanges, thenAdvanceAt moment: Moment) -> [Announcement] {
        apply(changes)
        guard lines.total > 0 || !changes.quotas.isEmpty else {
            for number in changes.closedHolds { _ = close(number) }
            return []
        }
        var released: Set<String> = []
        var concerned = Set(changes.accounts.keys)
        for number in changes.closedHolds {
            guard let held = close(number) else { continue }
            concerned.insert(held.pending.call.account)
            released.formUnion(held.pending.scopes)
        }
        if !changes.quotas.isEmpty { return advanceAll(at: moment) }
        return advance(released: released, accounts: concerned, at: moment)
    }

    private mutating func apply(_ quota: Quota?, key: QuotaKey) {
        guard let quota else {
            scopes[key.scope]?.quotas[key.metric] = nil
            scopes[key.scope]?.counters[key.metric] = nil
            if key.metric == .requestsPerSecond { scopes[key.scope]?.limiter = nil }
            if scopes[key.scope]?.quotas.isEmpty == true { scopes[key.scope] = nil }
            return
        }
        if scopes[key.scope] == nil { scopes[key.scope] = newScope(key.scope) }
        scopes[key.scope]?.quotas[key.metric] = quota
        if key.metric == .requestsPerSecond { scopes[key.scope]?.limiter = RateLimiter(limit: quota.limit) }
    }

    /// A scope that gets its first quota counts the calls that are running already.
    private func newScope(_ scope: String) -> ScopeState {
        var state = ScopeState()
        for held in holds.values where held.pending.scopes.contains(scope) { state.add(held, sign: 1) }
        return state
    }
}
