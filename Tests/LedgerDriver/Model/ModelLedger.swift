/// What a ledger must do, written as simply as can be: sums over lists, in 128 bits, one thing after another.
///
/// It keeps no counter and no balance: what was spent is the sum of the calls charged, what is held the sum of the calls
/// that run, what a window has used the sum of its calls.
struct ModelLedger: Sendable {
    struct TopUp: Sendable {
        let account: String
        let amount: Int128
    }

    struct Terms: Sendable {
        let author: String
        let perCall: Int128
        let authorBasisPoints: Int128
    }

    /// A call that was charged.
    struct Charge: Sendable {
        let invocation: Int
        let account: String
        let scopes: [String]
        let outcome: Int
        let billedWall: Int128
        let compute: Int128
        let royalty: Int128
        let cpu: Int128
        let moment: Int64
        let priceVersion: Int
        let terms: Terms?

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
    }

    var accounts: [String] = []
    var topUps: [String: TopUp] = [:]
    var royalties: [Int64: Terms] = [:]
    var quotas: [String: [String: Int128]] = [:]
    var charges: [Charge] = []
    var held: [Int: Held] = [:]
    var invocations = 0
    /// All price books there were, the one in force last.
    var books: [[Int64]]
    /// The time of the last block, in the file and in memory: a block without rows is not written.
    var writtenMicroseconds: Int64 = 0
    var ledgerMicroseconds: Int64 = 0

    init(prices: [Int64], now: Int64) {
        books = [prices]
        start(prices: prices, now: now)
    }

    /// Every run begins with a block.
    mutating func start(prices: [Int64], now: Int64) {
        if books.last != prices { books.append(prices) }
        held = [:]
        ledgerMicroseconds = writtenMicroseconds
        block(now: now, isWritten: true)
    }

    mutating func block(now: Int64, isWritten: Bool) {
        ledgerMicroseconds = max(ledgerMicroseconds + 1, now)
        if isWritten { writtenMicroseconds = ledgerMicroseconds }
    }

    var book: [Int64] { books[books.count - 1] }

    func credited(_ account: String) -> Int128 {
        topUps.values.reduce(0) { $0 + ($1.account == account ? $1.amount : 0) }
    }

    func spent(_ account: String) -> Int128 {
        charges.reduce(0) { $0 + ($1.account == account ? $1.amount : 0) }
    }

    func heldMoney(_ account: String) -> Int128 {
        held.values.reduce(0) { $0 + ($1.account == account ? $1.money : 0) }
    }

    /// What author, platform and revenue have earned: largest remainder, the author first.
    func earned(by author: String) -> Int128 {
        charges.reduce(0) { $0 + ($1.terms?.author == author ? share($1).author : 0) }
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
