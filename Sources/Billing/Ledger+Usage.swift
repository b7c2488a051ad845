import SQLite

/// One usage record as it is listed.
public struct Usage: Sendable, Equatable, Codable {
    /// The invocation.
    public let id: String
    /// Who paid.
    public let account: String
    /// The API key used.
    public let key: String
    /// `OWNER/NAME`.
    public let algorithm: String
    /// The algorithm's version.
    public let version: String
    /// How it ended.
    public let outcome: String
    /// Time run, in microseconds.
    public let wallMicroseconds: Int64
    /// The part of it that was charged, rounded up to the increment.
    public let billedWallMicroseconds: Int64
    /// CPU time, in microseconds.
    public let cpuMicroseconds: Int64
    /// Time waited before it ran, in microseconds.
    public let queueMicroseconds: Int64
    /// Time spent loading, in microseconds; never charged.
    public let loadMicroseconds: Int64
    /// Whether a loaded worker was reused.
    public let warm: Bool
    /// The memory limit, in bytes.
    public let memoryLimitBytes: Int64
    /// The most memory used, in bytes.
    public let memoryPeakBytes: Int64
    /// Size of the input.
    public let bytesIn: Int64
    /// Size of the output.
    public let bytesOut: Int64
    /// What the caller paid, in microcredits.
    public let amountMicrocredits: Int64
    /// The compute in it.
    public let computeMicrocredits: Int64
    /// The royalty in it.
    public let royaltyMicrocredits: Int64
    /// The price book version.
    public let priceVersion: Int64
    /// When it started, ISO 8601 in UTC.
    public let start: String

    enum CodingKeys: String, CodingKey {
        case id, account, key, algorithm, version, outcome, warm, start
        case wallMicroseconds = "wall_us"
        case billedWallMicroseconds = "billed_wall_us"
        case cpuMicroseconds = "cpu_us"
        case queueMicroseconds = "queue_us"
        case loadMicroseconds = "load_us"
        case memoryLimitBytes = "memory_limit_bytes"
        case memoryPeakBytes = "memory_peak_bytes"
        case bytesIn = "bytes_in"
        case bytesOut = "bytes_out"
        case amountMicrocredits = "amount_microcredits"
        case computeMicrocredits = "compute_microcredits"
        case royaltyMicrocredits = "royalty_microcredits"
        case priceVersion = "price_version"
    }
}

extension Ledger {
    private static let columns = """
        SELECT u.invocation, a.owner, u.api_key, u.algorithm, u.version, u.outcome, u.wall_us, u.billed_wall_us,
          u.cpu_us, u.queue_us, u.load_us, u.warm, u.mem_limit, u.mem_peak, u.bytes_in, u.bytes_out, u.amount_ucr,
          u.compute_ucr, u.royalty_ucr, u.price_version, u.start_us
        FROM usage u JOIN account a ON a.id = u.payer
        """

    /// The latest usage records, newest first.
    ///
    /// Blocks the calling thread for the read; the writer is not disturbed.
    ///
    /// - Parameters:
    ///   - account: only what this account paid for; nil for all.
    ///   - limit: how many; at most `limits.usageRowsMax`.
    /// - Returns: the records; none when the account is unknown.
    /// - Throws: `LedgerError` with kind `.read` or `.closed`.
    public func usage(account: String? = nil, limit: Int) throws(LedgerError) -> [Usage] {
        let rows = Int64(max(0, min(limit, limits.usageRowsMax)))
        return try read { (reader) throws(SQLiteError) in
            guard let account else {
                return try reader.connection.query(
                    "\(Self.columns) ORDER BY u.seq DESC LIMIT ?",
                    .integer(rows),
                    row: Self.usage
                )
            }
            // From the payer's last record along the list of its records.
            let sql = """
                WITH RECURSIVE list(seq, place) AS (
                  SELECT last_usage, 1 FROM account WHERE owner = ? AND kind = 1 AND last_usage IS NOT NULL
                  UNION ALL SELECT x.prev, place + 1 FROM list JOIN usage x ON x.seq = list.seq
                  WHERE x.prev IS NOT NULL AND place < ?)
                \(Self.columns) JOIN list ON list.seq = u.seq ORDER BY u.seq DESC LIMIT ?
                """
            return try reader.connection.query(
                sql,
                .text(account),
                .integer(rows),
                .integer(rows),
                row: Self.usage
            )
        }
    }

    /// One usage record.
    ///
    /// - Parameter id: the invocation.
    /// - Returns: the record, or nil when there is none (yet).
    /// - Throws: `LedgerError` with kind `.read` or `.closed`.
    public func usage(id: InvocationID) throws(LedgerError) -> Usage? {
        try read { (reader) throws(SQLiteError) in try Self.usage(id, reader.connection) }
    }

    static func usage(_ id: InvocationID, _ connection: Connection) throws(SQLiteError) -> Usage? {
        try connection.query("\(columns) WHERE u.invocation = ?", .blob(id.bytes), row: usage).first
    }

    private static func usage(_ row: borrowing Statement) -> Usage {
        Usage(
            id: InvocationID(bytes: row.bytes(0))?.description ?? "",
            account: row.string(1),
            key: row.string(2),
            algorithm: row.string(3),
            version: row.string(4),
            outcome: Outcome(rawValue: row.int(5))?.name ?? "unknown",
            wallMicroseconds: row.int64(6),
            billedWallMicroseconds: row.int64(7),
            cpuMicroseconds: row.int64(8),
            queueMicroseconds: row.int64(9),
            loadMicroseconds: row.int64(10),
            warm: row.bool(11),
            memoryLimitBytes: row.int64(12),
            memoryPeakBytes: row.int64(13),
            bytesIn: row.int64(14),
            bytesOut: row.int64(15),
            amountMicrocredits: row.int64(16),
            computeMicrocredits: row.int64(17),
            royaltyMicrocredits: row.int64(18),
            priceVersion: row.int64(19),
            start: iso8601(microseconds: row.int64(20))
        )
    }
}
