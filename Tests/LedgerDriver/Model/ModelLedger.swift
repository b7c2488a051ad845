/// What a ledger must do, written as simply as can be: lists, sums over them, in 128 bits, one thing after another.
///
/// It keeps no counter: what was spent is the sum of the calls charged, what is held the sum of the calls that run, what
/// a window has used the sum of its calls.
struct ModelLedger: Sendable {
    struct Terms: Sendable {
        let author: String
        let perCall: Int128
        let authorBasisPoints: Int128
    }

    /// A call that was charged.
    struct Charge: Sendable {
        let invocation: Int
        let account: String
        var scopes: [String] = []
        let outcome: Int
        var billedWall: Int128 = 0
        var compute: Int128 = 0
        var royalty: Int128 = 0
        var cpu: Int128 = 0
        /// CPU time that nobody paid for, and for whom it counts.
        var unpaid: Int128 = 0
        var unpaidScopes: [String] = []
        let moment: Int64
        let priceVersion: Int
        var terms: Terms?
        /// Where its money came from: places of grants, -1 for the account itself.
        var sources: [(place: Int, amount: Int128)] = []
        var isGivenBack = false

        var amount: Int128 { compute + royalty }
    }

    /// A call that runs.
    struct Held: Sendable {
        let invocation: Int
        let account: String
        let scopes: [String]
        let wall: Int128
        let money: Int128
        let cpu: Int128
        let terms: Terms?
        let key: Key?
        let request: Int64
        let replays: Bool
        let priceVersion: Int
        /// When it was put on disk, among others; nil when it is in memory only.
        var durable: Int?
    }

    struct Key: Hashable, Sendable {
        let account: String
        let name: String
    }

    /// What is known of a key whose call was charged.
    struct KeyRecord: Sendable {
        let invocation: Int
        let request: Int64
        let expires: Int64
        var isTooLarge: Bool
        var isGone = false
    }

    /// A caller's account without its grants.
    struct Account: Sendable {
        var own: Int128 = 0
        var line: Int128 = 0
        var state = "open"
        var rev = 1
        /// What ended before this was taken away, whatever the clock says.
        var sweptMicroseconds: Int64 = 0
    }

    struct Grant: Sendable {
        let account: String
        let priority: Int64
        let expires: Int64?
        var left: Int128
    }

    /// What a reference names.
    struct Payment: Sendable, Equatable {
        let kind: Step.Kind
        let account: String
        let amount: Int128
        var expires: Int64?
    }

    var accounts: [String: Account] = [:]
    var grants: [Grant] = []
    var payments: [String: Payment] = [:]
    var royalties: [Int64: Terms] = [:]
    var quotas: [String: [String: Int128]] = [:]
    var charges: [Charge] = []
    var held: [Int: Held] = [:]
    var keys: [Key: KeyRecord] = [:]
    var ended: Int128 = 0
    var invocations = 0
    var durables = 0
    /// Invocations whose hold on disk was given back; they are not used again, as the daemon uses none twice.
    var givenBack: Set<Int> = []
    /// All price books there were, the one in force last.
    var books: [[Int64]]
    /// The time of the last block, in the file and in memory: a block without rows is not written.
    var writtenMicroseconds: Int64 = 0
    var ledgerMicroseconds: Int64 = 0
    /// From when on it is looked whether a grant has ended.
    var sweepMicroseconds = Int64.max

    init(prices: [Int64], now: Int64) {
        books = [prices]
        start(prices: prices, now: now)
    }

    /// Every run begins with a block, in which calls whose holds were left on disk are recorded for nothing.
    mutating func start(prices: [Int64], now: Int64) {
        if books.last != prices { books.append(prices) }
        let left = held.values.filter { $0.durable != nil }.sorted { ($0.durable ?? 0) < ($1.durable ?? 0) }
        held = [:]
        ledgerMicroseconds = max(writtenMicroseconds + 1, now)
        writtenMicroseconds = ledgerMicroseconds
        for account in accounts.keys { accounts[account]?.sweptMicroseconds = 0 }
        sweepMicroseconds = grants.compactMap(\.expires).min() ?? .max
        for call in left {
            charges.append(
                Charge(
                    invocation: call.invocation,
                    account: call.account,
                    outcome: 17,
                    moment: ledgerMicroseconds,
                    priceVersion: call.priceVersion
                )
            )
        }
    }

    /// A block of one operation; first of all, grants that have ended go.
    mutating func block(now: Int64) {
        ledgerMicroseconds = max(ledgerMicroseconds + 1, now)
        sweep()
    }

    /// The block has rows, and so its time is in the file.
    mutating func write() { writtenMicroseconds = ledgerMicroseconds }

    var book: [Int64] { books[books.count - 1] }

    func spent(_ account: String) -> Int128 {
        charges.reduce(0) { $0 + ($1.account == account ? $1.amount : 0) }
    }

    func heldMoney(_ account: String) -> Int128 {
        held.values.reduce(0) { $0 + ($1.account == account ? $1.money : 0) }
    }

    /// What an author has earned: largest remainder, the author first.
    func earned(by author: String) -> Int128 {
        charges.reduce(0) { $0 + ($1.terms?.author == author && !$1.isGivenBack ? share($1).author : 0) }
    }

    func share(_ charge: Charge) -> (author: Int128, fee: Int128) {
        guard let terms = charge.terms else { return (0, 0) }
        let doubled = charge.royalty * terms.authorBasisPoints * 2
        // Rounded to the nearest, half towards the author: for two parts the same as the largest remainder.
        let author = (doubled + 10_000) / 20_000
        return (author, charge.royalty - author)
    }

    /// Compute of a run of so long, by a price book.
    func compute(_ wall: Int128, _ book: [Int64]) -> Int128 {
        billed(wall, book) * Int128(book[0]) / 1_000_000 + Int128(book[2])
    }

    func billed(_ wall: Int128, _ book: [Int64]) -> Int128 {
        let increments = wall / Int128(book[1]) + (wall % Int128(book[1]) == 0 ? 0 : 1)
        return increments * Int128(book[1])
    }
}
