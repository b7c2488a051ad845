import SQLite

/// Where a walk through the ledger stands: between two blocks.
struct WalkPosition: Sendable, Equatable {
    /// The last row of one table.
    struct TableEnd: Sendable, Equatable {
        var id: Int64 = 0
        var block: Int64 = 0
    }

    /// The last block.
    var block: Int64 = 0
    /// Its hash.
    var head = BlockHash.genesis
    /// Its time.
    var time = Int64.min
    /// The last rows, in the order of `ChainedTable.Name`.
    var ends = ChainedTable.Name.allCases.map { _ in TableEnd() }

    /// Before the first block.
    static let start = WalkPosition()

    private init() {}

    /// Behind a block, as the file has it; it is true only if a walk from the beginning ends there.
    ///
    /// - Parameters:
    ///   - block: the block; nil is returned when there is none of that number.
    ///   - connection: reads the file.
    /// - Throws: `SQLiteError`.
    init?(behind block: Int64, _ connection: Connection) throws(SQLiteError) {
        let found = try connection.query("SELECT hash, ts_us FROM block WHERE seq = ?", .integer(block)) {
            (row) throws(SQLiteError) in (row.bytes(0), row.int64(1))
        }
        guard let (hash, time) = found.first else { return nil }
        (self.block, head, self.time) = (block, hash, time)
        for (place, name) in ChainedTable.Name.allCases.enumerated() {
            ends[place] = try Self.end(of: name, through: block, connection) ?? TableEnd()
        }
    }

    private static func end(of name: ChainedTable.Name, through block: Int64, _ connection: Connection)
        throws(SQLiteError) -> TableEnd?
    {
        let (table, key) = (name.rawValue, name.key)
        // Halving works on the large tables because blocks ascend with ids; where they do not, the walks do not meet.
        var (low, high) = (Int64(0), Int64(0))
        let largest = try connection.prepare("SELECT coalesce(max(\(key)),0) FROM \(table)")
        if try largest.step() { high = largest.int64(0) }
        largest.reset()
        let statement = try connection.prepare("SELECT block FROM \(table) WHERE \(key) = ?")
        func blockOf(_ id: Int64) throws(SQLiteError) -> Int64 {
            try statement.bind(1, id)
            defer { statement.reset() }
            return try statement.step() ? statement.int64(0) : .max
        }
        while low < high {
            let middle = low + (high - low + 1) / 2
            if try blockOf(middle) <= block { low = middle } else { high = middle - 1 }
        }
        return low == 0 ? nil : TableEnd(id: low, block: try blockOf(low))
    }
}
