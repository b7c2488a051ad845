import CSQLite
import Glibc

/// What a checkpoint found and did.
public struct CheckpointResult: Sendable, Equatable {
    /// Pages in the write-ahead log.
    public let logPages: Int
    /// Pages of them that are in the database file now.
    public let movedPages: Int
}

extension Connection {
    /// How hard a checkpoint tries.
    public enum CheckpointMode: Sendable {
        /// Moves what it can without waiting for readers.
        case passive
        /// Waits for readers, so that the next writer starts the log from its beginning.
        case restart
    }

    /// Sets a pragma, or asks for one, and returns the first column of its answer.
    ///
    /// - Parameter assignment: for example `"journal_mode = WAL"`.
    /// - Returns: the answer as text, or nil when the pragma answers nothing.
    /// - Throws: `SQLiteError` with step `.prepare` or `.step`.
    @discardableResult
    public func pragma(_ assignment: String) throws(SQLiteError) -> String? {
        let statement = try prepare("PRAGMA \(assignment)")
        let answer = try statement.step() ? statement.string(0) : nil
        while try statement.step() {}
        return answer
    }

    /// Turns on the write-ahead log.
    ///
    /// - Parameter automaticCheckpointPages: log size at which a commit also checkpoints; 0 leaves that to ``checkpoint(_:)``.
    /// - Throws: `SQLiteError`; step `.open` when the file system cannot carry a write-ahead log.
    public func useWriteAheadLog(automaticCheckpointPages: Int32) throws(SQLiteError) {
        let mode = try pragma("journal_mode = WAL")
        guard mode == "wal" else {
            throw SQLiteError(.open, code: SQLITE_CANTOPEN, message: "journal_mode is \(mode ?? "none")", sql: path)
        }
        guard automaticCheckpointPages == 0 else {
            sqlite3_wal_autocheckpoint(handle, automaticCheckpointPages)
            return
        }
        // The hook replaces the automatic checkpoint: both are the same slot (sqlite3_wal_hook).
        sqlite3_wal_hook(
            handle,
            { counter, _, _, pages in
                counter?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            },
            logPageCounter
        )
    }

    /// Pages in the write-ahead log after the last commit of this connection; counted without automatic checkpoints only.
    public var logPages: Int { Int(logPageCounter.pointee) }

    /// Makes the database file grow in steps, so that not every checkpoint changes its size.
    ///
    /// - Parameter bytes: the step, for example 256 KiB.
    public func setGrowthStep(bytes: Int32) {
        var step = bytes
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_CHUNK_SIZE, &step)
    }

    /// Makes the log file larger with zeros, so that commits write over what is there.
    ///
    /// Making a file longer costs the file system more than writing into it. SQLite takes what has no valid checksum for
    /// the end of the log. Done as far as the disk has room: without it commits are slower, and nothing else.
    ///
    /// - Parameter bytes: the size; a file that is larger stays as it is.
    public func growLog(to bytes: Int) {
        let file = open(path + "-wal", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let before = lseek(file, 0, SEEK_END)
        var end = Int(before)
        while end < bytes {
            let written = pwrite(file, zeros, min(zeros.count, bytes - end), off_t(end))
            guard written > 0 else {
                ftruncate(file, before)
                return
            }
            end += written
        }
        fsync(file)
    }

    /// Moves pages from the write-ahead log into the database file.
    ///
    /// - Parameter mode: how hard it tries.
    /// - Returns: the sizes; `SQLITE_BUSY` (a reader is in the way) is not an error, the next checkpoint goes on.
    /// - Throws: `SQLiteError` with step `.checkpoint`.
    @discardableResult
    public func checkpoint(_ mode: CheckpointMode) throws(SQLiteError) -> CheckpointResult {
        var log: Int32 = 0
        var moved: Int32 = 0
        let flag = mode == .passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART
        let code = sqlite3_wal_checkpoint_v2(handle, "main", flag, &log, &moved)
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else {
            throw SQLiteError(.checkpoint, code: code, handle: handle, sql: path)
        }
        return CheckpointResult(logPages: Int(log), movedPages: Int(moved))
    }
}
