import SQLite

/// A sum over the invocations of usage records, the same in whatever order they are added.
///
/// The unique index is walked on another connection; if it is strictly ascending and has this sum, then it holds the
/// table's invocations and none twice. The hash is seeded anew in each process, so that no file can be made to fit.
struct InvocationSum: Sendable, Equatable {
    private(set) var count: Int64 = 0
    private(set) var sum: UInt64 = 0

    mutating func add(_ invocation: UnsafeRawBufferPointer, sequence: Int64) {
        var hasher = Hasher()
        hasher.combine(bytes: invocation)
        hasher.combine(sequence)
        sum &+= UInt64(bitPattern: Int64(hasher.finalize()))
        count += 1
    }

    mutating func add(_ other: InvocationSum) {
        count += other.count
        sum &+= other.sum
    }

    /// The sum over the unique index.
    ///
    /// - Parameters:
    ///   - connection: reads the index.
    ///   - last: records behind this one were not there when the table was read.
    /// - Returns: the sum; nil when the index is not strictly ascending.
    /// - Throws: `SQLiteError`, also when there is no such index.
    static func ofIndex(_ connection: Connection, through last: Int64) throws(SQLiteError) -> InvocationSum? {
        let sql = "SELECT invocation, seq FROM usage INDEXED BY sqlite_autoindex_usage_1 ORDER BY invocation"
        let statement = try connection.prepare(sql)
        var sum = InvocationSum()
        var former: [UInt8] = []
        var isAscending = true
        while try statement.step() {
            let sequence = statement.int64(1)
            statement.withBytes(0) { bytes in
                if sum.count > 0, !former.lexicographicallyPrecedes(bytes) { isAscending = false }
                former.removeAll(keepingCapacity: true)
                former.append(contentsOf: bytes)
                if sequence <= last { sum.add(bytes, sequence: sequence) }
            }
        }
        return isAscending ? sum : nil
    }
}
