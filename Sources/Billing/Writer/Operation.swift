/// One thing the writer is asked to record, with whoever waits for the commit.
struct Operation: Sendable {
    /// What is recorded.
    enum Action: Sendable {
        case openAccount(name: String)
        case topUp(TopUp)
        case setRoyalty(RoyaltyOrder)
        case settle(Settlement)
        case grant(Grant)
        case adjust(Adjustment)
        case refund(Refund)
        case change(AccountOrder)
        /// Nothing but what is due by the clock: grants that end, keys that are forgotten.
        case tick
        case hold(HeldCall)
        case void(InvocationID)
        case quota(QuotaOrder)
    }

    /// What the waiting caller is told after the commit.
    enum Answer: Sendable {
        case done
        case receipt(Receipt)
        case quota(Quota)
        case removed(Bool)
        /// The account's revision.
        case account(Int64)
    }

    let action: Action
    /// Told on the writer's thread, which must not be kept; nil when nobody waits.
    let reply: (@Sendable (Result<Answer, LedgerError>) -> Void)?
}

/// Money paid in.
struct TopUp: Sendable {
    let account: String
    let amount: Int64
    let ref: String
    let actor: String
}

/// Credit with a priority and an end of its own.
struct Grant: Sendable {
    let account: String
    let amount: Int64
    let priority: Int64
    let expires: Int64?
    let ref: String
    let actor: String
}

/// A correction of a caller's credit by hand.
struct Adjustment: Sendable {
    let account: String
    /// Microcredits, not 0; less than 0 takes credit away.
    let amount: Int64
    let reason: String
    let ref: String
    let actor: String
}

/// A charge to be reversed whole.
struct Refund: Sendable {
    let invocation: InvocationID
    let reason: String
    let actor: String
}

/// A change of a caller's account, if it is as its administrator thinks.
struct AccountOrder: Sendable {
    let account: String
    let change: AccountChange
    let ifRev: Int64?
    let reason: String
    let actor: String
}

/// A quota to be set or removed, if it is as its administrator thinks.
struct QuotaOrder: Sendable {
    let scope: String
    let metric: QuotaMetric
    /// Nil to remove it.
    let limit: Int64?
    let ifRev: Int64?
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
    /// The answer to be kept with the charge, for a call that had an idempotency key.
    let keeping: KeyRow?
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
