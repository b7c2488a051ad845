/// How much CPU time a day somebody may use that nobody pays for: failures, and loading.
///
/// Otherwise many failing algorithms would compute for free. It is looked at when a call arrives and counted when one
/// has ended, so that calls which run at the same time may pass it together, once.
struct Allowance: Sendable, Equatable {
    enum Kind { case account, author, pair }

    /// Whose allowances an end of a call counts against.
    enum Payers {
        /// A failure: the account's, the author's, and the account's with that algorithm.
        case everyone
        /// Loading for a call that was paid: nobody but the author chose it.
        case author
        /// A call run again because its answer was too large to keep: the algorithm did nothing wrong.
        case account

        func include(_ kind: Kind) -> Bool {
            switch self {
            case .everyone: true
            case .author: kind == .author
            case .account: kind == .account
            }
        }
    }

    let kind: Kind
    let scope: String

    /// What holds when no quota says otherwise.
    func microseconds(_ limits: LedgerLimits) -> Int64 {
        switch kind {
        case .account: limits.unpaidCPUAccount.wholeMicroseconds
        case .author: limits.unpaidCPUAuthor.wholeMicroseconds
        case .pair: limits.unpaidCPUPair.wholeMicroseconds
        }
    }
}

extension AdmissionState {
    /// Refuses a call of somebody who has used up an allowance.
    func checkAllowances(_ pending: PendingCall, at now: Int64) -> Refusal? {
        guard let window = QuotaMetric.unpaidCPUDay.window else { return nil }
        let scale = QuotaMetric.unpaidCPUDay.scale
        for allowance in pending.allowances {
            guard let used = unpaid[allowance.scope]?.used(in: window.index(at: now)), used > 0 else { continue }
            let quota = scopes[allowance.scope]?.quotas[.unpaidCPUDay].map { $0.limit * scale }
            let limit = quota ?? allowance.microseconds(limits)
            guard used >= limit else { continue }
            return .allowance(scope: allowance.scope, limit: limit, used: used, nowMicroseconds: now)
        }
        return nil
    }
}
