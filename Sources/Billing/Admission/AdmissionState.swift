/// Everything admission decides by: balances and counters as of the last commit, and the holds of running calls.
///
/// A value without locks or clocks of its own; ``Ledger`` keeps it in a `Mutex` and acts on what it returns after
/// unlocking. Memory holds die with the process, as do the boxes that run the calls.
struct AdmissionState: Sendable {
    let prices: PriceBook
    let priceVersion: Int64
    let limits: LedgerLimits

    var accounts: [String: AccountState] = [:]
    var royalties: [Int64: RoyaltyTerms] = [:]
    /// Only scopes that have a quota, by canonical text.
    var scopes: [String: ScopeState] = [:]
    var holds: [UInt64: HeldCall] = [:]
    var lines = WaitingLines()
    var lastHold: UInt64 = 0
    /// The ledger's own time: that of its last commit.
    var ledgerMicroseconds: Int64 = 0
    var isDraining = false
    /// Resumed when the last hold is closed while draining.
    var drainers: [CheckedContinuation<Void, Never>] = []

    init(prices: PriceBook, priceVersion: Int64, limits: LedgerLimits) {
        self.prices = prices
        self.priceVersion = priceVersion
        self.limits = limits
    }
}

/// A caller's account: what is committed and what running calls hold.
struct AccountState: Sendable {
    var credits: Int64 = 0
    var debits: Int64 = 0
    var overdraft: Int64 = 0
    var held: Int64 = 0
    var running: Int64 = 0
}

/// What an author gets for a call; fixed for ever for a version.
struct RoyaltyTerms: Sendable, Equatable {
    let perCall: Int64
    let authorBasisPoints: Int64
    /// The author's payable account.
    let authorAccount: Int64
}

/// The quotas of one scope and where they stand.
struct ScopeState: Sendable {
    var quotas: [QuotaMetric: Quota] = [:]
    var limiter: RateLimiter?
    /// Counters of the budget metrics: the window they belong to and the count, in counter units.
    var counters: [QuotaMetric: WindowCounter] = [:]
    var running: Int64 = 0
    var heldMoney: Int64 = 0
    var heldCPU: Int64 = 0
}

/// A count that belongs to one calendar window.
struct WindowCounter: Sendable, Equatable {
    var window: Int64
    var used: Int64

    func used(in current: Int64) -> Int64 { window == current ? used : 0 }
}

/// A call waiting for admission or being decided.
struct PendingCall: Sendable {
    let call: CallDescription
    /// Canonical texts, the account's first.
    let scopes: [String]
    let wall: Int64
    let royalty: RoyaltyTerms?
    let cost: CostModel
    /// From when on it no longer waits for a place among the concurrent calls.
    let concurrencyDeadline: ContinuousClock.Instant

    var accountScope: String { scopes[0] }
}

/// One admitted call: what it may cost, until it is settled or released.
struct HeldCall: Sendable {
    let number: UInt64
    let pending: PendingCall
    let wallMicroseconds: Int64
    let money: Int64
    let cpuMicroseconds: Int64
    let ceilingBinds: Bool
    /// The writer has it; it can no longer be voided.
    var isSettling = false
}

/// The two times a decision looks at.
struct Moment: Sendable {
    var unixMicroseconds: Int64
    var monotonicNanoseconds: Int64
    var instant: ContinuousClock.Instant
}
