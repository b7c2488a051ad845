import Glibc
import SQLite

/// A copy of the ledger that has been made.
public struct LedgerBackup: Sendable, Equatable, Codable {
    /// The file.
    public let path: String
    /// Its size.
    public let bytes: Int64
    /// The last block in it.
    public let head: SignedHead?
}

extension Ledger {
    /// Free space that a backup must leave, so that charges can go on.
    static let backupReserveBytes: Int64 = 256 << 20

    /// Copies a ledger while it is in use: whole and of one moment, or not at all.
    ///
    /// Written under a temporary name, put on disk, then named; a file that exists is never replaced. Blocks the calling
    /// thread; charges go on.
    ///
    /// - Parameters:
    ///   - path: the ledger file.
    ///   - target: a file that does not exist, in a folder that does.
    ///   - key: signs the head; nil for a head that is not signed.
    /// - Returns: the file with its head.
    /// - Throws: `LedgerError`: `.conflict` when the file exists, `.invalid` when the disk has no room for it, `.open`.
    public static func backup(path: String, to target: String, key: HeadKey?) throws(LedgerError) -> LedgerBackup {
        guard access(target, F_OK) != 0 else { throw exists(target) }
        let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "./"
        try checkRoom(of: path, in: folder)
        let draft = "\(target).\(getpid()).partial"
        unlink(draft)
        defer { for ending in ["", "-journal", "-wal", "-shm"] { unlink(draft + ending) } }
        let head = try copy(path, to: draft, key)
        // A link, not a renaming: it fails when somebody has made the file meanwhile.
        guard synchronize(draft), link(draft, target) == 0, synchronize(folder) else {
            throw errno == EEXIST ? exists(target) : failure(target)
        }
        var status = stat()
        guard stat(target, &status) == 0 else { throw failure(target) }
        return LedgerBackup(path: target, bytes: Int64(status.st_size), head: head)
    }

    private static func copy(_ path: String, to draft: String, _ key: HeadKey?) throws(LedgerError) -> SignedHead? {
        // Before SQLite opens it: nobody else may read who owes what.
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(draft) }
        Glibc.close(descriptor)
        let found = try reading(path, anySchema: true) { (_, connection) throws(SQLiteError) in
            let copy = try Connection(path: draft)
            try copy.pragma("journal_mode = OFF")
            try copy.pragma("synchronous = OFF")
            try connection.backup(to: copy)
            return try connection.query("SELECT seq, hash, ts_us FROM block ORDER BY seq DESC LIMIT 1") {
                (row) throws(SQLiteError) in (row.int64(0), row.bytes(1), row.int64(2))
            }.first
        }
        guard let (block, hash, time) = found else { return nil }
        return try SignedHead(block: block, hash: hash, timeMicroseconds: time, key: key)
    }

    private static func checkRoom(of path: String, in folder: String) throws(LedgerError) {
        var (file, log, disk) = (stat(), stat(), statvfs())
        guard stat(path, &file) == 0, statvfs(folder, &disk) == 0 else { throw failure(folder) }
        let logBytes = stat(path + "-wal", &log) == 0 ? Int64(log.st_size) : 0
        let needed = Int64(file.st_size) + logBytes + backupReserveBytes
        let free = Int64(disk.f_bavail) * Int64(disk.f_frsize)
        guard free >= needed else {
            let detail =
                "\(folder) has \(free >> 20) MiB free, a backup needs \(needed >> 20) MiB with what must stay free"
            throw LedgerError(.invalid, detail)
        }
    }

    private static func synchronize(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        return fsync(descriptor) == 0
    }

    private static func exists(_ target: String) -> LedgerError {
        LedgerError(.conflict, "\(target) exists, and is not replaced: choose another name or remove it")
    }

    private static func failure(_ path: String) -> LedgerError {
        LedgerError(.open, "\(path): \(String(cString: strerror(errno)))")
    }
}
