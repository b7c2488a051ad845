import SQLite

extension Ledger {
    /// Checks every rule of a ledger file, on a consistent snapshot, without writing.
    ///
    /// Works beside a running daemon and on a copy; a copy without a log in a folder that cannot be written is read
    /// as it is. Blocks the calling thread, and uses a second one.
    ///
    /// - Parameter path: the file.
    /// - Returns: the findings; the audit itself has succeeded then, whatever it found.
    /// - Throws: `LedgerError` with kind `.open` or `.read` when the file cannot be read as a ledger.
    public static func audit(path: String) throws(LedgerError) -> AuditReport {
        try audit(path: path, sharedFrom: Audit.recordsShared)
    }

    static func audit(path: String, sharedFrom records: Int64) throws(LedgerError) -> AuditReport {
        try reading(path) { (source, connection) throws(SQLiteError) in
            AuditReport(Audit(source: source, connection: connection, recordsShared: records).rules())
        }
    }
}
