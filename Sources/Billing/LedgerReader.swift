import SQLite
import Synchronization

/// A connection that only reads, with the statements that are asked often.
final class LedgerReader {
    let connection: Connection
    private let findKey: Statement

    init(path: String) throws(SQLiteError) {
        connection = try Connection(path: path, access: .readOnly)
        findKey = try connection.prepare(
            """
            SELECT request, invocation, state, status, response, expires_us FROM idem WHERE account = ? AND key = ?
            """,
            persistent: true
        )
    }

    func key(_ key: String, account: Int64) throws(SQLiteError) -> KeyRecord? {
        try findKey.bind(1, account)
        try findKey.bind(2, key)
        guard try findKey.step() else { return nil }
        defer { findKey.reset() }
        guard let invocation = InvocationID(bytes: findKey.bytes(1)) else { return nil }
        return KeyRecord(
            request: findKey.bytes(0),
            invocation: invocation,
            state: findKey.int(2),
            status: findKey.int(3),
            response: findKey.bytes(4),
            expires: findKey.int64(5)
        )
    }
}

extension Ledger {
    /// Reads beside the writer; blocks the calling thread while another reads.
    func read<Result: Sendable>(
        _ body: (LedgerReader) throws(SQLiteError) -> Result
    ) throws(LedgerError) -> Result {
        let result: Swift.Result<Result, LedgerError> = reader.withLock { reader in
            guard let reader else { return .failure(LedgerError(.closed, "the ledger is closed")) }
            do throws(SQLiteError) {
                return .success(try body(reader))
            } catch {
                return .failure(LedgerError(.read, reader.connection.path, cause: error))
            }
        }
        return try result.get()
    }
}
