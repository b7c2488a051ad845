import CSQLite

extension Connection {
    /// Which lock a transaction takes at its start.
    public enum TransactionMode: String, Sendable {
        /// None before the first statement; for reading a consistent snapshot.
        case deferred = "BEGIN DEFERRED"
        /// The write lock at once, so that the transaction cannot fail later for want of it.
        case immediate = "BEGIN IMMEDIATE"
    }

    /// Runs a closure in one transaction: commits when it returns, rolls back when it throws.
    ///
    /// - Parameters:
    ///   - mode: the lock taken at the start.
    ///   - body: the work; it must not begin or end a transaction itself.
    /// - Returns: what `body` returned.
    /// - Throws: the body's error, or `SQLiteError` with step `.begin` or `.commit`.
    public func transaction<Result>(
        _ mode: TransactionMode = .immediate,
        _ body: () throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        try transaction(mode, translating: { (error: SQLiteError) in error }, body)
    }

    /// The same for a body that throws its module's own error.
    ///
    /// - Parameters:
    ///   - mode: the lock taken at the start.
    ///   - translate: turns a failed `BEGIN` or `COMMIT` into the body's error type.
    ///   - body: the work; it must not begin or end a transaction itself.
    /// - Returns: what `body` returned.
    /// - Throws: the body's error, or the translated one.
    public func transaction<Result, Failure: Error>(
        _ mode: TransactionMode = .immediate,
        translating translate: (SQLiteError) -> Failure,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(SQLiteError) { try begin(mode) } catch { throw translate(error) }
        let result: Result
        do throws(Failure) {
            result = try body()
        } catch {
            rollback()
            throw error
        }
        do throws(SQLiteError) { try commit() } catch { throw translate(error) }
        return result
    }

    /// Begins a transaction by hand, for an owner that ends it in another function.
    ///
    /// - Parameter mode: the lock taken at the start.
    /// - Throws: `SQLiteError` with step `.begin`.
    public func begin(_ mode: TransactionMode = .immediate) throws(SQLiteError) {
        try end(.begin, sql: mode.rawValue)
    }

    /// Commits the open transaction, or rolls it back and throws.
    ///
    /// An I/O error here means that the outcome is unknown: the rows may reappear after the next start.
    ///
    /// - Throws: `SQLiteError` with step `.commit`.
    public func commit() throws(SQLiteError) {
        do throws(SQLiteError) {
            try end(.commit, sql: "COMMIT")
        } catch {
            rollback()
            throw error
        }
    }

    /// Rolls back the open transaction, if there is one; never fails (SQLite may have rolled back already).
    public func rollback() {
        guard isInTransaction else { return }
        sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
    }

    private func end(_ step: SQLiteError.Step, sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(step, code: code, handle: handle, sql: sql) }
    }
}
