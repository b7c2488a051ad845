import CSQLite

/// One compiled SQL statement; whoever owns it runs it, and its end finalizes it.
///
/// Placeholders and columns count as in SQLite: the first placeholder is 1, the first column is 0.
/// A statement keeps its connection open.
public struct Statement: ~Copyable {
    /// The SQL text it was compiled from.
    public let sql: String
    let connection: Connection
    let handle: OpaquePointer

    init(connection: Connection, sql: String, persistent: Bool) throws(SQLiteError) {
        var sql = sql
        var compiled: OpaquePointer?
        var rest = 0
        let flags = persistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let code = sql.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v3(
                    connection.handle,
                    text.baseAddress,
                    Int32(text.count),
                    flags,
                    &compiled,
                    &tail
                )
                if let base = text.baseAddress, let tail { rest = text.count - (tail - base) }
                return code
            }
        }
        guard code == SQLITE_OK else {
            throw SQLiteError(.prepare, code: code, handle: connection.handle, sql: sql)
        }
        guard let compiled, sql.utf8.suffix(rest).allSatisfy({ $0 <= UInt8(ascii: " ") }) else {
            sqlite3_finalize(compiled)
            throw SQLiteError(.prepare, code: SQLITE_MISUSE, message: "not exactly one statement", sql: sql)
        }
        self.connection = connection
        self.sql = sql
        handle = compiled
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Runs the statement up to its next row.
    ///
    /// - Returns: whether there is a row; after `false` the statement is reset and can be bound and run again.
    /// - Throws: `SQLiteError` with step `.step`; the statement is reset then as well.
    public func step() throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            let error = SQLiteError(.step, code: code, handle: connection.handle, sql: sql)
            sqlite3_reset(handle)
            throw error
        }
        sqlite3_reset(handle)
        return false
    }

    /// Runs a statement that returns no rows, and makes it ready for its next use.
    ///
    /// - Throws: `SQLiteError` with step `.step`.
    public func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Returns the statement to the point before its first row; bindings stay.
    public func reset() {
        sqlite3_reset(handle)
    }
}
