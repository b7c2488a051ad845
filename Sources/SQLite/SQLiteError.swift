import CSQLite

/// What SQLite refused to do, and why.
public struct SQLiteError: Error, Sendable, Equatable {
    /// What was being done.
    public enum Step: String, Sendable {
        /// Opening the file or setting its journal mode.
        case open
        /// Compiling a statement.
        case prepare
        /// Giving a placeholder its value.
        case bind
        /// Running a statement.
        case step
        /// Running a script.
        case execute
        /// Beginning a transaction.
        case begin
        /// Committing one.
        case commit
        /// Moving the write-ahead log into the database file.
        case checkpoint
        /// Copying the database.
        case backup
        /// Bringing the schema up to date.
        case migrate
    }

    /// What was being done.
    public let step: Step
    /// The primary result code, for example 13 (`SQLITE_FULL`).
    public let code: Int32
    /// The extended result code, for example 1034 (`SQLITE_IOERR_FSYNC`).
    public let extendedCode: Int32
    /// SQLite's own words.
    public let message: String
    /// The statement, or the path when there is none.
    public let sql: String

    init(_ step: Step, code: Int32, message: String, sql: String) {
        self.step = step
        self.code = code & 0xFF
        extendedCode = code
        self.message = message
        self.sql = sql
    }

    init(_ step: Step, code: Int32, handle: OpaquePointer?, sql: String) {
        let extended = handle.map { sqlite3_extended_errcode($0) } ?? code
        let words = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        self.step = step
        self.code = code & 0xFF
        extendedCode = extended & 0xFF == code & 0xFF ? extended : code
        message = words.map { String(cString: $0) } ?? "no message"
        self.sql = sql
    }

    /// Whether a uniqueness or primary key rule was broken.
    public var isUniqueViolation: Bool {
        // SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_PRIMARYKEY, macros that Swift cannot see.
        extendedCode == SQLITE_CONSTRAINT | 8 << 8 || extendedCode == SQLITE_CONSTRAINT | 6 << 8
    }

    /// Whether another connection held the lock for longer than the busy timeout.
    public var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }

    /// Whether the file system, or the database's page limit, is full.
    public var isFull: Bool { code == SQLITE_FULL }

    /// Whether a write was refused because the file, or the folder of its log, is read-only.
    public var isReadOnly: Bool { code == SQLITE_READONLY }

    /// Whether the file could not be opened at all.
    public var isCannotOpen: Bool { code == SQLITE_CANTOPEN }

    /// Whether the file is no database or a damaged one.
    public var isCorrupt: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
}

extension SQLiteError: CustomStringConvertible {
    /// The step, both codes, SQLite's message and the statement in one line.
    public var description: String {
        "SQLite \(step.rawValue) failed: \(message) (code \(code), extended \(extendedCode)) in: \(sql.prefix(200))"
    }
}
