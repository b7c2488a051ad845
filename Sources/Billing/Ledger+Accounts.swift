import SQLite
import Synchronization

/// A caller's account as an administrator looks at it.
public struct AccountRecord: Sendable, Equatable, Codable {
    /// Whose it is.
    public let account: String
    /// `open`, `frozen` or `closed`.
    public let state: String
    /// Greater with each change that an administrator makes of it.
    public let rev: Int64
    /// What new calls may hold: own credit, grants and overdraft line, less what is held.
    public let available: Microcredits
    /// Held for running calls.
    public let held: Microcredits
    /// Spent since the account was opened.
    public let spent: Microcredits
    /// The account's credit without its grants; below zero by what is owed.
    public let own: Microcredits
    /// How far its own credit may fall below zero.
    public let overdraft: Microcredits
    /// Calls that run now.
    public let running: Int64
    /// When it was opened, ISO 8601 in UTC.
    public let created: String
    /// The grants that have something left, in the order of their use; nil in lists of accounts.
    public let grants: [GrantRecord]?

    enum CodingKeys: String, CodingKey {
        case account, state, rev, running, created, grants
        case available = "available_microcredits"
        case held = "held_microcredits"
        case spent = "spent_microcredits"
        case own = "own_microcredits"
        case overdraft = "overdraft_microcredits"
    }
}

/// What an author has been paid.
public struct Earnings: Sendable, Equatable, Codable {
    /// Whose they are.
    public let account: String
    /// The author's part of all royalties, since the first.
    public let royalties: Microcredits
    /// Given back of it, when charges were refunded.
    public let refunded: Microcredits
    /// What is left.
    public let earned: Microcredits

    enum CodingKeys: String, CodingKey {
        case account
        case royalties = "royalties_microcredits"
        case refunded = "refunded_microcredits"
        case earned = "earned_microcredits"
    }
}

extension Ledger {
    /// Looks at an account: figures as of the last commit, its holds of this moment.
    ///
    /// - Parameter name: an open account.
    /// - Returns: the account with its grants.
    /// - Throws: `LedgerError`: `.accountUnknown`, `.read` or `.closed`.
    public func account(_ name: String) throws(LedgerError) -> AccountRecord {
        let rows = try read { (reader) throws(SQLiteError) in
            try reader.connection.query("\(Self.accountRows) AND owner = ?", .text(name), row: AccountRow.init)
        }
        guard let row = rows.first else { throw LedgerError(.accountUnknown, name) }
        return try record(row, grants: try grants(of: name))
    }

    /// The accounts by name.
    ///
    /// - Parameters:
    ///   - name: only those that come after it, for the next page; empty for the first.
    ///   - state: only those that are `open`, `frozen` or `closed`; nil for all.
    ///   - limit: how many; at most `limits.usageRowsMax`.
    /// - Returns: the accounts without their grants.
    /// - Throws: `LedgerError` with kind `.read` or `.closed`.
    public func accounts(
        after name: String = "",
        state: String? = nil,
        limit: Int
    ) throws(LedgerError) -> [AccountRecord] {
        let count = Int64(max(0, min(limit, limits.usageRowsMax)))
        let rows = try read { (reader) throws(SQLiteError) in
            try reader.connection.query(
                """
                \(Self.accountRows) AND owner > ?
                  AND (? IS NULL OR CASE WHEN flags & 4 THEN 'closed' WHEN flags & 2 THEN 'frozen' ELSE 'open' END = ?2)
                ORDER BY owner LIMIT ?
                """,
                .text(name),
                state.map { .text($0) } ?? .null,
                .integer(count),
                row: AccountRow.init
            )
        }
        var records: [AccountRecord] = []
        for row in rows { records.append(try record(row, grants: nil)) }
        return records
    }

    /// What an author has been paid in royalties, and what of it was given back.
    ///
    /// - Parameter name: the author; nothing was earned by one who has no algorithm.
    /// - Returns: the sums since the first royalty.
    /// - Throws: `LedgerError` with kind `.read` or `.closed`.
    public func earnings(of name: String) throws(LedgerError) -> Earnings {
        // Royalties alone credit such an account, and refunds alone debit it.
        let sql = "SELECT credits, debits FROM account WHERE owner = ? AND kind = 2 AND parent IS NULL"
        let sums = try read { (reader) throws(SQLiteError) in
            try reader.connection.query(sql, .text(name)) { (row) throws(SQLiteError) in (row.int64(0), row.int64(1)) }
        }
        let (credits, debits) = sums.first ?? (0, 0)
        return Earnings(
            account: name,
            royalties: Microcredits(rawValue: credits),
            refunded: Microcredits(rawValue: debits),
            earned: Microcredits(rawValue: credits - debits)
        )
    }

    private static let accountRows = """
        SELECT owner, flags, rev, credits - debits, overdraft, created_us FROM account WHERE parent IS NULL AND kind = 1
        """

    private func record(_ row: AccountRow, grants: [GrantRecord]?) throws(LedgerError) -> AccountRecord {
        let balance = try balance(of: row.owner)
        let isClosed = row.flags.contains(.closed)
        return AccountRecord(
            account: row.owner,
            state: isClosed ? "closed" : row.flags.contains(.frozen) ? "frozen" : "open",
            rev: row.rev,
            available: balance.available,
            held: balance.held,
            spent: balance.spent,
            own: Microcredits(rawValue: row.own),
            overdraft: Microcredits(rawValue: row.overdraft),
            running: state.withLock { $0.accounts[row.owner]?.running ?? 0 },
            created: iso8601(microseconds: row.created),
            grants: grants
        )
    }
}

/// A row of `account`.
private struct AccountRow: Sendable {
    let owner: String
    let flags: AccountFlags
    let rev: Int64
    let own: Int64
    let overdraft: Int64
    let created: Int64

    init(_ row: borrowing Statement) throws(SQLiteError) {
        (owner, flags, rev) = (row.string(0), AccountFlags(rawValue: row.int64(1)), row.int64(2))
        (own, overdraft, created) = (row.int64(3), row.int64(4), row.int64(5))
    }
}
