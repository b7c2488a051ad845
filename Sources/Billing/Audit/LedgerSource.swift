import Glibc
import SQLite

/// A ledger file to be read: beside a running daemon, or a copy.
struct LedgerSource: Sendable {
    let path: String
    private let access: Connection.Access

    /// Finds out how the file can be read; a copy without a log in a folder that cannot be written is read as it is.
    init(path: String) throws(SQLiteError) {
        self.path = path
        do throws(SQLiteError) {
            _ = try Self.open(path, .readOnly)
            access = .readOnly
        } catch {
            // A WAL database needs its -shm file; without a log that is only a matter of a folder we cannot write.
            guard error.isCannotOpen || error.isReadOnly, !Self.hasLog(path) else { throw error }
            _ = try Self.open(path, .immutable)
            access = .immutable
        }
    }

    /// Opens the file and begins to read: what is read from now on is of one moment.
    func open() throws(SQLiteError) -> Connection { try Self.open(path, access) }

    private static func open(_ path: String, _ access: Connection.Access) throws(SQLiteError) -> Connection {
        let connection = try Connection(path: path, access: access)
        try connection.begin(.deferred)
        // The first statement is what takes the snapshot, and what needs the log.
        _ = try connection.query("SELECT count(*) FROM meta") { (row) throws(SQLiteError) in row.int64(0) }
        return connection
    }

    private static func hasLog(_ path: String) -> Bool {
        var status = stat()
        return stat(path + "-wal", &status) == 0 && status.st_size > 0
    }
}
