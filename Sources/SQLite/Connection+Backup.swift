import CSQLite

extension Connection {
    /// Copies the whole database, page by page, as it is at one moment; writers go on meanwhile.
    ///
    /// In an open transaction the copy is of that transaction's moment.
    ///
    /// - Parameter target: an empty database.
    /// - Throws: `SQLiteError` with step `.backup`; the target is worthless then.
    public func backup(to target: Connection) throws(SQLiteError) {
        guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else {
            throw SQLiteError(.backup, code: sqlite3_errcode(target.handle), handle: target.handle, sql: target.path)
        }
        let code = sqlite3_backup_step(backup, -1)
        sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE else {
            throw SQLiteError(.backup, code: code, handle: target.handle, sql: target.path)
        }
    }
}
