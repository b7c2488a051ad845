import SQLite
import Synchronization

/// A hold on disk that is open: that of a call with a large worst case, while it runs.
public struct OpenHold: Sendable, Equatable, Codable {
    /// The call.
    public let invocation: String
    /// Who pays.
    public let account: String
    /// The API key used.
    public let key: String
    /// `OWNER/NAME`.
    public let algorithm: String
    /// The algorithm's version.
    public let version: String
    /// What is held.
    public let amount: Microcredits
    /// The longest the call may run, in microseconds.
    public let wallMicroseconds: Int64
    /// How long it has been held, in seconds.
    public let ageSeconds: Int64
    /// Since when, ISO 8601 in UTC.
    public let created: String
    /// Whether its call runs; if not, its end is on its way to the disk.
    public let running: Bool

    enum CodingKeys: String, CodingKey {
        case invocation, account, key, algorithm, version, created, running
        case amount = "amount_microcredits"
        case wallMicroseconds = "wall_us"
        case ageSeconds = "age_seconds"
    }
}

extension Ledger {
    /// The durable holds that are open, oldest first.
    ///
    /// An open hold is never given back by hand: its call runs, and its charge could find the credit gone. It ends with
    /// the call, at its deadline at the latest, and those of an earlier run were voided at the start.
    ///
    /// - Parameter age: only those that are at least so old.
    /// - Returns: the holds; at most `limits.usageRowsMax`.
    /// - Throws: `LedgerError` with kind `.read` or `.closed`.
    public func openHolds(olderThan age: Duration = .zero) throws(LedgerError) -> [OpenHold] {
        let now = clock.unixMicroseconds()
        let (latest, overflow) = now.subtractingReportingOverflow(age.wholeMicroseconds)
        let sql = """
            SELECT h.invocation, a.owner, h.api_key, h.algorithm, h.version, h.amount, h.wall_us, h.created_us
            FROM hold h JOIN account a ON a.id = h.payer WHERE h.state = 0 AND h.created_us <= ? ORDER BY h.id LIMIT ?
            """
        let rows = try read { (reader) throws(SQLiteError) in
            try reader.connection.query(
                sql,
                .integer(overflow ? .min : latest),
                .integer(Int64(limits.usageRowsMax)),
                row: HoldRow.init
            )
        }
        // Looked at afterwards: a hold is in memory before it is on disk.
        let running = state.withLock { state in
            Set(state.holds.values.filter(\.isDurable).map(\.pending.call.invocation))
        }
        return rows.map { $0.record(now: now, running: running) }
    }
}

/// A row of `hold`.
private struct HoldRow: Sendable {
    let invocation: InvocationID?
    let account: String
    let key: String
    let algorithm: String
    let version: String
    let amount: Int64
    let wall: Int64
    let created: Int64

    init(_ row: borrowing Statement) throws(SQLiteError) {
        (invocation, account, key) = (InvocationID(bytes: row.bytes(0)), row.string(1), row.string(2))
        (algorithm, version, amount) = (row.string(3), row.string(4), row.int64(5))
        (wall, created) = (row.int64(6), row.int64(7))
    }

    func record(now: Int64, running: Set<InvocationID>) -> OpenHold {
        OpenHold(
            invocation: invocation?.description ?? "",
            account: account,
            key: key,
            algorithm: algorithm,
            version: version,
            amount: Microcredits(rawValue: amount),
            wallMicroseconds: wall,
            ageSeconds: max(0, now - created) / 1_000_000,
            created: iso8601(microseconds: created),
            running: invocation.map(running.contains) ?? false
        )
    }
}
