import CSQLite

/// One open SQLite database, used from one thread at a time.
///
/// - Shape: a class, so that statements can keep it alive; it is not `Sendable`: put it in a `Mutex` or give it to one thread.
/// - Errors: every call throws ``SQLiteError``, which names the step, both result codes, SQLite's message and the SQL text.
/// - Source: sqlite.org/c3ref; the library is opened in multi-thread mode (`SQLITE_OPEN_NOMUTEX`).
public final class Connection {
    /// How a database file is opened.
    public enum Access: Sendable {
        /// Reads and writes; the file is created when it is missing.
        case readWriteCreate
        /// Reads only; a WAL database needs its `-shm` file, or a directory in which it can be made.
        case readOnly
        /// Reads a file that nobody changes meanwhile; neither locks nor `-wal`/`-shm` files are touched.
        case immutable
    }

    /// The file, as given to the initializer.
    public let path: String
    let handle: OpaquePointer
    /// Written by SQLite's commit hook, on the connection's own thread; lives as long as the connection.
    let logPageCounter = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    /// Opens a database file.
    ///
    /// - Parameters:
    ///   - path: the file; `":memory:"` opens a private database in memory.
    ///   - access: whether the file may be created and written.
    ///   - busyTimeoutMilliseconds: how long a statement waits for another connection's lock before `SQLITE_BUSY`.
    /// - Throws: `SQLiteError` with step `.open`.
    public init(
        path: String,
        access: Access = .readWriteCreate,
        busyTimeoutMilliseconds: Int32 = 5000
    ) throws(SQLiteError) {
        Self.withoutStatistics
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(access.name(for: path), &opened, access.flags, nil)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteError(.open, code: code, handle: opened, sql: path)
            sqlite3_close_v2(opened)
            logPageCounter.deallocate()
            throw error
        }
        logPageCounter.initialize(to: 0)
        self.path = path
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, busyTimeoutMilliseconds)
    }

    /// Once, before the first connection: counting memory costs a lock for every piece of it.
    private static let withoutStatistics: Void = {
        let code = csqlite_without_memory_statistics()
        precondition(code == SQLITE_OK, "sqlite3_config: \(code); SQLite was in use before its first connection")
    }()

    deinit {
        // v2: a statement that is still alive keeps the handle as a "zombie" until it is finalized.
        sqlite3_close_v2(handle)
        logPageCounter.deallocate()
    }

    /// Compiles one SQL statement.
    ///
    /// - Parameters:
    ///   - sql: exactly one statement; anything but white space after it is refused.
    ///   - persistent: whether the statement is kept for a long time (`SQLITE_PREPARE_PERSISTENT`).
    /// - Returns: the statement, before its first row.
    /// - Throws: `SQLiteError` with step `.prepare`.
    public func prepare(_ sql: String, persistent: Bool = false) throws(SQLiteError) -> Statement {
        try Statement(connection: self, sql: sql, persistent: persistent)
    }

    /// Runs any number of statements without parameters and drops their rows.
    ///
    /// - Parameter sql: statements separated by semicolons.
    /// - Throws: `SQLiteError` with step `.execute`; the statements before the failing one have run.
    public func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(.execute, code: code, handle: handle, sql: sql) }
    }

    /// Runs one statement with parameters and drops its rows.
    ///
    /// - Parameters:
    ///   - sql: one statement with `?` placeholders.
    ///   - values: one value for each placeholder, in order.
    /// - Returns: how many rows it inserted, changed or deleted.
    /// - Throws: `SQLiteError`.
    @discardableResult
    public func run(_ sql: String, _ values: Value...) throws(SQLiteError) -> Int {
        let statement = try prepare(sql)
        try statement.bind(values)
        while try statement.step() {}
        return changes
    }

    /// Runs one query and turns each row into a value.
    ///
    /// - Parameters:
    ///   - sql: one statement with `?` placeholders.
    ///   - values: one value for each placeholder, in order.
    ///   - row: reads the columns of the current row.
    /// - Returns: what `row` returned for each row, in order; the caller bounds it by a `LIMIT`.
    /// - Throws: `SQLiteError`.
    public func query<Row>(
        _ sql: String,
        _ values: Value...,
        row: (borrowing Statement) throws(SQLiteError) -> Row
    ) throws(SQLiteError) -> [Row] {
        let statement = try prepare(sql)
        try statement.bind(values)
        var rows: [Row] = []
        while try statement.step() { rows.append(try row(statement)) }
        return rows
    }

    /// How many rows the last `INSERT`, `UPDATE` or `DELETE` changed.
    public var changes: Int { Int(sqlite3_changes64(handle)) }

    /// The row id of the last row inserted by this connection, 0 before the first.
    public var lastInsertRowID: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
}

extension Connection.Access {
    fileprivate var flags: Int32 {
        switch self {
        case .readWriteCreate: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        case .readOnly: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
        case .immutable: SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI
        }
    }

    /// The file name SQLite is given: `immutable=1` exists only as a URI parameter, so the path is percent-encoded there.
    fileprivate func name(for path: String) -> String {
        guard self == .immutable else { return path }
        let hexadecimal = Array("0123456789ABCDEF")
        var encoded = ""
        for byte in path.utf8 {
            if byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "%") {
                encoded += "%\(hexadecimal[Int(byte >> 4)])\(hexadecimal[Int(byte & 15)])"
            } else {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return "file:\(encoded)?immutable=1"
    }
}
