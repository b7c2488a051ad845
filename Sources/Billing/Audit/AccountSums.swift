import SQLite

/// The accounts as they are stored, and what the transfers say they should be.
struct AccountSums {
    struct Row {
        let id: Int64
        let owner: String
        let kind: Int64
        let parent: Int64?
        /// Of callers: the last usage record, from which the others are listed.
        let lastUsage: Int64
        let debits: Int64
        let credits: Int64
        /// The part of the debits that is no charge, of callers and grants.
        let uncharged: Int64
    }

    /// What the transfers of an account have moved.
    struct Moved: Sendable, Equatable {
        var debits = Int128(0)
        var credits = Int128(0)
        var uncharged = Int128(0)
        /// The usage records of a payer as a list: what the first one follows, the last one, and one that follows wrongly.
        var follows: Int64?
        var last: Int64 = 0
        var broken: Int64?

        mutating func list(_ usage: Int64, after previous: Int64) {
            if follows == nil { follows = previous } else if previous != last { broken = broken ?? usage }
            last = usage
        }

        /// Puts what was moved before it first.
        mutating func add(former: Moved) {
            debits += former.debits
            credits += former.credits
            uncharged += former.uncharged
            broken = former.broken ?? broken
            if let follows, follows != former.last { broken = broken ?? last }
            if follows == nil { last = former.last }
            follows = former.follows ?? (former.last == 0 ? follows : 0)
        }
    }

    let rows: [Row]
    private let places: [Int64: Int]
    private var moved: [Moved]

    /// Reads the accounts.
    ///
    /// - Parameter connection: reads them.
    /// - Throws: `SQLiteError`.
    init(_ connection: Connection) throws(SQLiteError) {
        rows = try connection.query(
            "SELECT id, owner, kind, parent, last_usage, debits, credits, uncharged FROM account ORDER BY id"
        ) {
            (row) throws(SQLiteError) in
            Row(
                id: row.int64(0),
                owner: row.string(1),
                kind: row.int64(2),
                parent: row.optionalInt64(3),
                lastUsage: row.int64(4),
                debits: row.int64(5),
                credits: row.int64(6),
                uncharged: row.int64(7)
            )
        }
        places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.id, $0) })
        moved = rows.map { _ in Moved() }
    }

    /// The row of an account; nil when there is none.
    func place(of account: Int64) -> Int? { places[account] }

    mutating func debit(_ place: Int, _ amount: Int64, isCharge: Bool) {
        moved[place].debits += Int128(amount)
        let kind = AccountKind(rawValue: rows[place].kind)
        if !isCharge, kind == .caller || kind == .lot { moved[place].uncharged += Int128(amount) }
    }

    mutating func credit(_ place: Int, _ amount: Int64) { moved[place].credits += Int128(amount) }

    mutating func list(_ place: Int, usage: Int64, after previous: Int64) {
        moved[place].list(usage, after: previous)
    }

    /// Adds what transfers that are not visited have moved, by account.
    mutating func add(_ others: [Int64: Moved]) {
        for (account, other) in others {
            guard let place = places[account] else { continue }
            moved[place].add(former: other)
        }
    }

    /// What has been moved, by account.
    var totals: [Int64: Moved] { Dictionary(uniqueKeysWithValues: zip(rows.map(\.id), moved)) }

    func compare(with totals: [Int64: Moved], _ findings: inout Findings) {
        for row in rows {
            findings.examined += 1
            let moved = totals[row.id] ?? Moved()
            if moved.broken != nil || moved.follows ?? 0 != 0 || moved.last != row.lastUsage {
                findings.add(
                    "\(Audit.accountName(id: row.id, owner: row.owner, kind: row.kind)): its list of usage records is broken"
                        + (moved.broken.map { " at \($0)" } ?? "")
                        + "; it ends at \(row.lastUsage), should at \(moved.last)"
                )
            }
            if Int128(row.uncharged) != moved.uncharged {
                findings.add(
                    "\(Audit.accountName(id: row.id, owner: row.owner, kind: row.kind)): \(row.uncharged) microcredits "
                        + "taken without a call, \(moved.uncharged) by its transfers"
                )
            }
            guard Int128(row.debits) != moved.debits || Int128(row.credits) != moved.credits else { continue }
            let name = Audit.accountName(id: row.id, owner: row.owner, kind: row.kind)
            findings.add(
                "\(name): debits \(row.debits) and credits \(row.credits) microcredits recorded, "
                    + "\(moved.debits) and \(moved.credits) by its transfers"
            )
        }
    }
}
