/// One step of a random history of a ledger: what is done, and numbers that every step reads in its own way.
///
/// - Shape: any numbers make sense (they are taken modulo what there is), so that a history stays one when steps are
///   taken out of it or numbers made smaller. As text: the name and the numbers, separated by spaces.
struct Step: Sendable, Equatable, CustomStringConvertible {
    enum Kind: String, Sendable, CaseIterable {
        /// account
        case open
        /// account, reference, amount
        case topup
        /// version, author, amount
        case royalty
        /// scope, metric, limit
        case quota
        /// scope, metric
        case unquota
        /// account, reference, amount, priority, microseconds until it ends (0 never)
        case grant
        /// account, reference, amount, which may be negative
        case adjust
        /// charge
        case refund
        /// account, amount
        case line
        /// account, what: freeze, unfreeze, close
        case change
        /// what is due by the clock
        case tick
        /// slot, account, key, version, CPUs, wall limit, invocation (0 a new one, else one used before), idempotency key
        /// (0 none), request
        case admit
        /// slot, outcome, wall, CPU, size of the answer
        case settle
        /// slot
        case release
        /// microseconds forwards, or back
        case clock
        /// microseconds before or after the next month begins
        case month
        /// prices: closes the ledger and opens it again
        case reopen
        /// prices: opens a copy of the files as they are now, as after a power failure on a disk that kept everything
        case crash
        /// compares every record, and audits
        case audit
    }

    var kind: Kind
    var numbers: [Int64]

    init(_ kind: Kind, _ numbers: Int64...) {
        self.kind = kind
        self.numbers = numbers
    }

    /// Reads the text form; nil for any other.
    init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard let first = words.first, let kind = Kind(rawValue: String(first)) else { return nil }
        let numbers = words.dropFirst().compactMap { Int64($0) }
        guard numbers.count == words.count - 1 else { return nil }
        self.kind = kind
        self.numbers = numbers
    }

    var description: String { ([kind.rawValue] + numbers.map(String.init)).joined(separator: " ") }

    /// A number, 0 when the step has none in this place.
    subscript(_ place: Int) -> Int64 { place < numbers.count ? numbers[place] : 0 }

    /// A number as the place of something in a list.
    func index(_ place: Int, of count: Int) -> Int { Int(self[place].magnitude % UInt64(count)) }
}

/// The names that steps mean by their numbers.
enum Cast {
    static let accounts = ["a0", "a1", "a2"]
    static let keys = ["k0", "k1"]
    static let authors = ["w0", "w1"]
    static let versions: [Int64] = [1, 2, 3, 4, 5, 6]
    static let references = (0..<64).map { "r\($0)" }
    static let slots = 6
    static let scopes = [
        "account:a0", "account:a1", "key:k0", "algorithm:bob/alg0", "algorithm:bob/alg1",
        "account:a0+algorithm:bob/alg0", "account:a1+algorithm:bob/alg2", "author:bob",
    ]
    static let metrics = [
        "spend_day_microcredits", "spend_month_microcredits", "cpu_seconds_month", "concurrent_calls", unpaid,
    ]
    static let unpaid = "unpaid_cpu_seconds_day"
    /// Seconds of an account, an author and a pair.
    static let unpaidSeconds: [Int64] = [6, 10, 4]
    /// More than the shortest call of any version costs: identifiers are used again for short calls only.
    static let durableMicrocredits: Int64 = 2_100_000
    static let keptAnswerBytesMax = 100
    static let idempotencyKeys: Int64 = 8
    /// Rate, increment, call price, fee.
    static let prices: [[Int64]] = [
        [1_000_000, 1000, 0, 3000], [166_667, 1, 7, 3333], [999_999, 1001, 0, 0], [0, 1000, 1_000_000, 10_000],
    ]
    static let startMicroseconds: Int64 = 1_795_430_000_000_000

    /// The scope and metric of a quota; an author's only one is unpaid CPU time.
    static func quota(_ step: Step) -> (scope: String, metric: String) {
        let scope = scopes[step.index(0, of: scopes.count)]
        return (scope, scope.hasPrefix("author:") ? unpaid : metrics[step.index(1, of: metrics.count)])
    }

    /// The wall limit of a call.
    static func wall(_ step: Step) -> Int64 { Int64(step[5].magnitude % 10_000_000) % (step[6] > 0 ? 1001 : .max) }

    static func key(_ step: Step) -> String? {
        step[7] == 0 ? nil : "key\(step[7].magnitude % UInt64(idempotencyKeys))"
    }

    static func algorithm(_ version: Int64) -> String { "Bob/Alg\(version % 3)" }
}
