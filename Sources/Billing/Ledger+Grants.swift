import SQLite

/// A grant as it is listed.
public struct GrantRecord: Sendable, Equatable, Codable {
    /// Its number among the ledger's accounts.
    public let id: Int64
    /// What it was called when it was given.
    public let ref: String
    /// Which is used first: the lower.
    public let priority: Int64
    /// How much was given.
    public let given: Microcredits
    /// What is left of it; of one that has ended, what running calls still hold.
    public let left: Microcredits
    /// `usable`, `used` or `ended`.
    public let state: String
    /// When it ends, ISO 8601 in UTC; nil for never.
    public let expires: String?
    /// When it was given, ISO 8601 in UTC.
    public let created: String

    enum CodingKeys: String, CodingKey {
        case id, ref, priority, state, expires, created
        case given = "given_microcredits"
        case left = "left_microcredits"
    }
}

extension Ledger {
    /// The grants of an account, in the order of their use.
    ///
    /// - Parameters:
    ///   - account: an account's name.
    ///   - all: also those that are used up or have ended, after the others; at most `limits.usageRowsMax` in all.
    /// - Returns: the grants.
    /// - Throws: `LedgerError` with kind `.read` or `.closed`.
    public func grants(of account: String, all: Bool = false) throws(LedgerError) -> [GrantRecord] {
        let now = clock.unixMicroseconds()
        let sql = """
            SELECT id, priority, credits - debits, expires_us, created_us FROM account
            WHERE parent = (SELECT id FROM account WHERE owner = ?1 AND kind = 1 AND parent IS NULL)
              AND (?2 OR credits > debits AND (expires_us IS NULL OR expires_us > ?3))
            ORDER BY credits > debits AND (expires_us IS NULL OR expires_us > ?3) DESC, priority, expires_us IS NULL,
              expires_us, id
            LIMIT ?4
            """
        return try read { (reader) throws(SQLiteError) in
            let rows = try reader.connection.query(
                sql,
                .text(account),
                .integer(all ? 1 : 0),
                .integer(now),
                .integer(Int64(limits.usageRowsMax)),
                row: GrantRow.init
            )
            var grants: [GrantRecord] = []
            for row in rows {
                let gift = try reader.gift(of: row)
                grants.append(row.record(ref: gift.ref, given: gift.amount, now: now))
            }
            return grants
        }
    }

    /// The grant that a reference names, if it names one.
    ///
    /// - Parameter ref: as it was given.
    /// - Returns: the grant as it is now.
    /// - Throws: `LedgerError` with kind `.read` or `.closed`.
    public func grant(ref: String) throws(LedgerError) -> GrantRecord? {
        let sql = """
            SELECT a.id, a.priority, a.credits - a.debits, a.expires_us, a.created_us, t.amount
            FROM transfer t JOIN account a ON a.id = t.cr WHERE t.ref = ? AND t.code = 110
            """
        let rows = try read { (reader) throws(SQLiteError) in
            try reader.connection.query(sql, .blob(Array(ref.utf8))) { (row) throws(SQLiteError) in
                (try GrantRow(row), row.int64(5))
            }
        }
        return rows.first.map { $0.record(ref: ref, given: $1, now: clock.unixMicroseconds()) }
    }

    /// The correction that a reference names: microcredits, less than 0 when they were taken.
    ///
    /// The first leg bears the reference; the others follow it, up to the next transfer of another operation.
    func adjustment(ref: String) throws(LedgerError) -> Int64? {
        let sql = """
            WITH leg AS (SELECT id, cr FROM transfer WHERE ref = ? AND code = 310)
            SELECT sum(t.amount) * CASE (SELECT kind FROM account WHERE id = leg.cr) WHEN 13 THEN -1 ELSE 1 END
            FROM leg JOIN transfer t ON t.id >= leg.id AND t.id < coalesce(
              (SELECT x.id FROM transfer x WHERE x.id > leg.id AND (x.code <> 310 OR x.ref IS NOT NULL)
               ORDER BY x.id LIMIT 1), 9223372036854775807)
            """
        let sums = try read { (reader) throws(SQLiteError) in
            try reader.connection.query(sql, .blob(Array(ref.utf8))) { (row) throws(SQLiteError) in
                row.optionalInt64(0)
            }
        }
        return sums.first ?? nil
    }
}

/// A row of `account` that is a grant.
private struct GrantRow: Sendable {
    let id: Int64
    let priority: Int64
    let left: Int64
    let expires: Int64?
    let created: Int64

    init(_ row: borrowing Statement) throws(SQLiteError) {
        (id, priority, left) = (row.int64(0), row.int64(1), row.int64(2))
        (expires, created) = (row.optionalInt64(3), row.int64(4))
    }

    func record(ref: String, given: Int64, now: Int64) -> GrantRecord {
        let hasEnded = expires.map { $0 <= now } ?? false
        return GrantRecord(
            id: id,
            ref: ref,
            priority: priority,
            given: Microcredits(rawValue: given),
            left: Microcredits(rawValue: left),
            state: hasEnded ? "ended" : left > 0 ? "usable" : "used",
            expires: expires.map { iso8601(microseconds: $0) },
            created: iso8601(microseconds: created)
        )
    }
}

extension LedgerReader {
    /// What a grant was called and how much it was: its transfer bears the time at which it was opened, and ids grow with
    /// time, so that it is found by halving.
    fileprivate func gift(of grant: GrantRow) throws(SQLiteError) -> (ref: String, amount: Int64) {
        let time = try connection.prepare("SELECT ts_us FROM transfer WHERE id = ?")
        var (low, high) = (Int64(1), try last() + 1)
        while low < high {
            let middle = low + (high - low) / 2
            try time.bind(1, middle)
            let found = try time.step() ? time.int64(0) : Int64.max
            time.reset()
            if found < grant.created { low = middle + 1 } else { high = middle }
        }
        let sql = "SELECT ref, amount FROM transfer WHERE id >= ? AND cr = ? AND code = 110 ORDER BY id LIMIT 1"
        let found = try connection.query(sql, .integer(low), .integer(grant.id)) { (row) throws(SQLiteError) in
            (ref: String(decoding: row.bytes(0), as: UTF8.self), amount: row.int64(1))
        }
        return found.first ?? ("", 0)
    }

    private func last() throws(SQLiteError) -> Int64 {
        try connection.query("SELECT coalesce(max(id), 0) FROM transfer") { (row) throws(SQLiteError) in row.int64(0) }
            .first ?? 0
    }
}
