/// One thing the writer is asked to record, with whoever waits for the commit.
struct Operation: Sendable {
    /// What is recorded.
    enum Action: Sendable {
        case openAccount(name: String)
        case topUp(TopUp)
        case setRoyalty(RoyaltyOrder)
        case settle(Settlement)
        case setQuota(scope: String, metric: QuotaMetric, limit: Int64, actor: String)
        case unsetQuota(scope: String, metric: QuotaMetric, actor: String)
    }

    /// What the waiting caller is told after the commit.
    enum Answer: Sendable {
        case done
        case receipt(Receipt)
        case quota(Quota)
        case removed(Bool)
    }

    let action: Action
    let reply: CheckedContinuation<Result<Answer, LedgerError>, Never>
}

/// Money paid in.
struct TopUp: Sendable {
    let account: String
    let amount: Int64
    let ref: String
    let actor: String
}

/// A royalty to be fixed for a version.
struct RoyaltyOrder: Sendable {
    let versionID: Int64
    let algorithm: String
    let author: String
    let perCall: Int64
}

/// A finished call to be charged.
struct Settlement: Sendable {
    let held: HeldCall
    let usage: UsageRecord
    let priceVersion: Int64
}

/// What a commit has changed, as far as admission must know it.
struct CommittedChanges: Sendable {
    var ledgerMicroseconds: Int64 = 0
    /// Callers' accounts that changed, by name.
    var accounts: [String: AccountState] = [:]
    var royalties: [Int64: RoyaltyTerms] = [:]
    /// Counters that changed, by scope and metric.
    var counters: [String: [QuotaMetric: WindowCounter]] = [:]
    /// Quotas that were set, or unset (nil).
    var quotas: [QuotaKey: Quota?] = [:]
    /// Holds that were captured, or whose operation was answered with an error.
    var closedHolds: [UInt64] = []
}

/// The name of a quota.
struct QuotaKey: Sendable, Hashable {
    let scope: String
    let metric: QuotaMetric
}
