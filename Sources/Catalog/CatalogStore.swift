internal import SQLite
internal import Synchronization

/// The file behind the catalog: one connection, one writer at a time.
///
/// @unchecked: `connection` is touched inside `lock` only, and nothing of it leaves a `write` closure.
final class CatalogStore: @unchecked Sendable {
    private let lock = Mutex<Void>(())
    private let connection: Connection

    /// Opens the file, brings its schema up to date, and fails the builds that a former process left unfinished.
    init(path: String) throws(CatalogError) {
        connection = try storing("open \(path)") { () throws(SQLiteError) in
            let connection = try Connection(path: path)
            // SQLite checkpoints by itself every 1,000 pages, which suits writes this rare.
            // A database in memory has no log; it exists for tests only.
            if path != ":memory:" { try connection.pragma("journal_mode = WAL") }
            try connection.pragma("synchronous = FULL")
            try connection.pragma("foreign_keys = ON")
            try connection.migrate(CatalogSchema.migrations)
            try connection.run("UPDATE versions SET state = 'failed' WHERE state = 'building'")
            return connection
        }
    }

    /// Runs a closure that reads or writes; closures of different threads follow one another.
    func write<Result: Sendable>(
        _ body: (Connection) throws(CatalogError) -> Result
    ) throws(CatalogError) -> Result {
        try lock.withLock { (_) throws(CatalogError) -> Result in try body(connection) }
    }
}

extension Connection {
    /// Runs statements in one transaction.
    ///
    /// - Throws: `CatalogError` with reason `.storage`, naming the step; nothing was written then.
    @discardableResult
    func transaction<Result>(
        to step: String,
        _ body: () throws(SQLiteError) -> Result
    ) throws(CatalogError) -> Result {
        try storing(step) { () throws(SQLiteError) -> Result in try transaction(.immediate, body) }
    }
}

/// Runs database work and names the step when it fails.
private func storing<Result>(
    _ step: String,
    _ work: () throws(SQLiteError) -> Result
) throws(CatalogError) -> Result {
    do throws(SQLiteError) { return try work() } catch { throw CatalogError.storage(step, error) }
}
