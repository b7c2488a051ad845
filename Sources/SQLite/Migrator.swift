import CSQLite

/// One step of a schema's history; once released it never changes.
public struct Migration: Sendable {
    /// Its place in the history: 1, 2, 3 ….
    public let number: Int
    /// What it does, in a few words.
    public let name: String
    /// Its statements.
    public let sql: String

    /// Describes one step.
    ///
    /// - Parameters:
    ///   - number: its place in the history, dense from 1.
    ///   - name: what it does, in a few words.
    ///   - sql: its statements, without `BEGIN` and `COMMIT`.
    public init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }
}

extension Connection {
    private static let tableSQL = """
        CREATE TABLE IF NOT EXISTS schema_migrations(
          number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL DEFAULT (datetime('now'))) STRICT
        """

    /// Brings the schema up to date: forward only, all missing steps in one transaction, listed in `schema_migrations`.
    ///
    /// - Parameter migrations: the whole history, numbered 1 … n without a gap.
    /// - Returns: how many steps were applied now.
    /// - Throws: `SQLiteError` with step `.migrate` when the file knows steps this program does not, or under another name.
    @discardableResult
    public func migrate(_ migrations: [Migration]) throws(SQLiteError) -> Int {
        for (offset, migration) in migrations.enumerated() {
            precondition(migration.number == offset + 1, "migration \(migration.number) at place \(offset + 1)")
        }
        return try transaction { () throws(SQLiteError) -> Int in
            try execute(Self.tableSQL)
            let known = try query("SELECT number, name FROM schema_migrations ORDER BY number") {
                (row) throws(SQLiteError) in (number: row.int(0), name: row.string(1))
            }
            try verify(known, against: migrations)
            for migration in migrations.dropFirst(known.count) {
                try execute(migration.sql)
                try run(
                    "INSERT INTO schema_migrations(number, name) VALUES (?, ?)",
                    Value(migration.number),
                    Value(migration.name)
                )
            }
            return migrations.count - known.count
        }
    }

    /// The number of the last migration that the file has seen.
    ///
    /// - Returns: 0 when there was none.
    /// - Throws: `SQLiteError`, also for a file that never was migrated.
    public func appliedMigrations() throws(SQLiteError) -> Int {
        try query("SELECT coalesce(max(number), 0) FROM schema_migrations") { (row) throws(SQLiteError) in row.int(0) }
            .first ?? 0
    }

    private func verify(_ known: [(number: Int, name: String)], against history: [Migration]) throws(SQLiteError) {
        for (offset, row) in known.enumerated() {
            let expected = offset < history.count ? "\(history[offset].number) \(history[offset].name)" : "nothing"
            guard expected == "\(row.number) \(row.name)" else {
                let message = "the file has migration \(row.number) \(row.name) where this program has \(expected)"
                throw SQLiteError(.migrate, code: SQLITE_SCHEMA, message: message, sql: path)
            }
        }
    }
}
