import Glibc
import SQLite

/// What a backup is worth, and what would be lost by going back to it.
public struct RestoreReport: Sendable, Equatable, Codable {
    /// What the ledger has that the backup has not.
    public struct Loss: Sendable, Equatable, Codable {
        /// Blocks recorded since.
        public let blocks: Int64
        /// Calls charged since.
        public let usageRecords: Int64
        /// What they cost, in microcredits.
        public let chargedMicrocredits: Int64
        /// Payments received since.
        public let topUps: Int64
        /// What was paid in, in microcredits.
        public let topUpMicrocredits: Int64

        enum CodingKeys: String, CodingKey {
            case blocks
            case usageRecords = "usage_records"
            case chargedMicrocredits = "charged_microcredits"
            case topUps = "top_ups"
            case topUpMicrocredits = "top_up_microcredits"
        }
    }

    /// Whether the backup is clean and its head is in the ledger's chain.
    public let ok: Bool
    /// The last block of the backup.
    public let head: SignedHead?
    /// The rules, checked on the backup.
    public let checks: [AuditReport.Check]
    /// Where they do not hold.
    public let violations: [AuditReport.Violation]
    /// What restoring would lose; nil when there is no ledger to compare with, or the chains part.
    public let loss: Loss?
}

extension Ledger {
    /// Audits a backup, and compares it with the ledger it is of.
    ///
    /// - Parameters:
    ///   - backup: the file.
    ///   - path: the ledger; nil for none.
    ///   - key: signs the head.
    /// - Returns: the findings.
    /// - Throws: `LedgerError` with kind `.open` or `.read`, for either file.
    public static func restoreCheck(
        _ backup: String,
        against path: String?,
        key: HeadKey?
    ) throws(LedgerError) -> RestoreReport {
        let report = try audit(path: backup)
        let head = try head(path: backup, key: key)
        var comparison = Findings("the backup's head is in the ledger's chain")
        var loss: RestoreReport.Loss?
        if let path, let head {
            loss = try reading(path) { (source, connection) throws(SQLiteError) in
                let wish = AuditWish(heads: [head])
                try Audit(source: source, connection: connection).check(wish.heads, trusting: nil, &comparison)
                return comparison.count == 0 ? try Self.loss(connection, since: head.block) : nil
            }
        }
        let compared = path == nil ? [] : [comparison]
        return RestoreReport(
            ok: report.ok && comparison.count == 0,
            head: head,
            checks: report.checks + compared.map(\.check),
            violations: report.violations + compared.flatMap(\.listed),
            loss: loss
        )
    }

    private static func loss(_ connection: Connection, since block: Int64) throws(SQLiteError) -> RestoreReport.Loss? {
        guard let position = try WalkPosition(behind: block, connection) else { return nil }
        let numbers = { (sql: String, after: Int64) throws(SQLiteError) -> (Int64, Int64) in
            try connection.query(sql, .integer(after)) { (row) throws(SQLiteError) in (row.int64(0), row.int64(1)) }[0]
        }
        let blocks = try numbers("SELECT count(*), 0 FROM block WHERE seq > ?", block)
        let usage = try numbers(
            "SELECT count(*), coalesce(sum(amount_ucr),0) FROM usage WHERE seq > ?",
            position.ends[0].id
        )
        let topUps = try numbers(
            "SELECT count(*), coalesce(sum(amount),0) FROM transfer WHERE id > ? AND code = 100",
            position.ends[1].id
        )
        return RestoreReport.Loss(
            blocks: blocks.0,
            usageRecords: usage.0,
            chargedMicrocredits: usage.1,
            topUps: topUps.0,
            topUpMicrocredits: topUps.1
        )
    }
}
