extension LedgerFile {
    /// Adds a charge to every counter it concerns.
    func count(_ bill: Bill, _ pending: PendingCall) {
        if bill.unpaid > 0 {
            for allowance in pending.allowances where bill.unpaidBy.include(allowance.kind) {
                add(bill.unpaid, to: .unpaidCPUDay, of: allowance.scope)
            }
        }
        guard !budgetScopes.isEmpty else { return }
        for scope in pending.scopes where budgetScopes.contains(scope) {
            guard let quotas = quotas[scope] else { continue }
            for metric in QuotaMetric.budgets where quotas[metric] != nil {
                add(metric == .cpuSecondsMonth ? bill.cpu : bill.charge.amount.rawValue, to: metric, of: scope)
            }
        }
    }

    /// Whether the failure allowances of a call have room for so much CPU time.
    func isAllowed(_ cpu: Int64, _ pending: PendingCall) -> Bool {
        guard let window = QuotaMetric.unpaidCPUDay.window?.index(at: ledgerMicroseconds) else { return false }
        return pending.allowances.allSatisfy { allowance in
            let used = counters[allowance.scope]?[.unpaidCPUDay]?.used(in: window) ?? 0
            let quota = quotas[allowance.scope]?[.unpaidCPUDay].map { $0.limit * QuotaMetric.unpaidCPUDay.scale }
            return used + cpu <= quota ?? allowance.microseconds(limits)
        }
    }

    private func add(_ amount: Int64, to metric: QuotaMetric, of scope: String) {
        guard amount > 0, let window = metric.window?.index(at: ledgerMicroseconds) else { return }
        let used = counters[scope]?[metric]?.used(in: window) ?? 0
        counters[scope, default: [:]][metric] = WindowCounter(window: window, used: used + amount)
        touchedCounters.insert(QuotaKey(scope: scope, metric: metric))
    }
}
