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
    /// CPU time of today that nobody pays for, by canonical text of scopes.
    var unpaid: [String: WindowCounter] = [:]
    var holds: [UInt64: HeldCall] = [:]
    /// Idempotency keys of calls that run.
    var keys: [ClaimedKey: KeyOwner] = [:]
    var lastClaim: UInt64 = 0
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

/// A caller's account: what is committed of it and its grants, and what running calls hold.
struct AccountState: Sendable {
    /// Its number in the ledger.
    var id: Int64 = 0
    var credits: Int64 = 0
    var debits: Int64 = 0
    var overdraft: Int64 = 0
    /// The part of the debits that is no charge: expired grants, corrections.
    var uncharged: Int64 = 0
    var flags: AccountFlags = []
    /// Grants that end, as long as something is left of them.
    var expiring: [ExpiringCredit] = []
    /// The writer has taken away what ended before this moment; a clock that lags behind does not bring it back.
    var sweptMicroseconds: Int64 = 0
    var held: Int64 = 0
    var running: Int64 = 0

    /// Credit and overdraft line that a call may hold at a moment; what is held already is not taken off.
    func limit(at now: Int64) -> Int64 {
        let time = max(now, sweptMicroseconds)
        return expiring.reduce(credits + overdraft) { $1.expires <= time ? $0 - $1.amount : $0 }
    }
}

/// What is left of a grant that ends.
struct ExpiringCredit: Sendable, Equatable {
    let expires: Int64
    let amount: Int64
}

/// What an author gets for a call; fixed for ever for a version.
struct RoyaltyTerms: Sendable, Equatable {
    let perCall: Int64
    let authorBasisPoints: Int64
    /// The author's payable account.
    let authorAccount: Int64
    /// The author's part of a royalty; the rest is the platform's.
    let authorPart: Int64

    init(perCall: Int64, authorBasisPoints: Int64, authorAccount: Int64) {
        (self.perCall, self.authorBasisPoints, self.authorAccount) = (perCall, authorBasisPoints, authorAccount)
        authorPart = split(perCall, weights: [authorBasisPoints, 10_000 - authorBasisPoints])[0]
    }
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

/// A call waiting for admission, being decided, or running; shared by everything that speaks of it.
final class PendingCall: Sendable {
    let call: CallDescription
    /// The account's number in the ledger.
    let accountID: Int64
    let wall: Int64
    let royalty: RoyaltyTerms?
    let cost: CostModel
    /// From when on it no longer waits for a place among the concurrent calls.
    let concurrencyDeadline: ContinuousClock.Instant

    /// Canonical texts, the account's first.
    var scopes: [String] { call.scopes.texts }
    var accountScope: String { scopes[0] }
    /// Who must have unpaid CPU time left.
    var allowances: [Allowance] { call.scopes.allowances }

    init(
        call: CallDescription,
        accountID: Int64,
        royalty: RoyaltyTerms?,
        prices: PriceBook,
        concurrencyDeadline: ContinuousClock.Instant
    ) {
        self.call = call
        self.accountID = accountID
        self.royalty = royalty
        self.concurrencyDeadline = concurrencyDeadline
        wall = min(call.wallLimit.wholeMicroseconds, CostModel.wallMicrosecondsMax)
        cost = CostModel(
            prices: prices,
            royalty: royalty?.perCall ?? 0,
            cpus: Int64(max(1, min(call.cpus, 1024))),
            isFree: call.replayOf != nil
        )
    }
}

/// One admitted call: what it may cost, until it is settled or released.
struct HeldCall: Sendable {
    let number: UInt64
    let pending: PendingCall
    let wallMicroseconds: Int64
    let money: Int64
    let cpuMicroseconds: Int64
    let ceilingBinds: Bool
    /// Whether the hold is on disk.
    var isDurable = false
    /// The writer has it; it can no longer be voided.
    var isSettling = false
}

/// The two times a decision looks at.
struct Moment: Sendable {
    var unixMicroseconds: Int64
    var monotonicNanoseconds: Int64
    var instant: ContinuousClock.Instant
}
