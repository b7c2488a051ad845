import Crypto
import SQLite

/// Walks through one chained table by id, and hashes the rows of one block after another.
final class RowCursor {
    /// What a block's rows of one table come to.
    struct Contents {
        var first: Int64?
        var last: Int64?
        var count: Int64 = 0
        var sum: Int64 = 0
    }

    let name: ChainedTable.Name
    let statement: Statement
    private let key: Int32
    private let block: Int32
    private let time: Int32
    private let amount: Int32?
    private(set) var rows = RowBytes()
    private(set) var contents = Contents()
    /// The block of the row under the cursor; nil at the end.
    private(set) var nextBlock: Int64?
    /// Rows that no block has hashed.
    private(set) var unhashed = 0
    /// Rows seen.
    private(set) var seen: Int64 = 0
    private(set) var end: WalkPosition.TableEnd

    /// Begins behind a row.
    ///
    /// - Parameters:
    ///   - name: the table.
    ///   - end: the last row that was seen before.
    ///   - connection: reads the table.
    /// - Throws: `SQLiteError`.
    init(_ name: ChainedTable.Name, after end: WalkPosition.TableEnd, connection: Connection) throws(SQLiteError) {
        self.name = name
        self.end = end
        // Every column there is: what the chain covers is the whole row.
        statement = try connection.prepare("SELECT * FROM \(name.rawValue) WHERE \(name.key) > ? ORDER BY \(name.key)")
        key = try statement.column(name.key)
        block = try statement.column("block")
        time = try statement.column(name.timeColumn)
        amount = name == .transfer ? try statement.column("amount") : nil
        try statement.bind(1, end.id)
        try advance()
    }

    func advance() throws(SQLiteError) {
        guard try statement.step() else { return nextBlock = nil }
        rows.append(statement, required: Int32(name.columnCount), derived: Int32(name.derivedCount))
        nextBlock = rows.integer(block)
    }

    var id: Int64 { rows.integer(key) }
    var ledgerTime: Int64 { rows.integer(time) }

    /// Takes the row under the cursor into the block's digest.
    func hashRow() {
        let id = id
        if contents.first == nil { contents.first = id }
        contents.last = id
        contents.count += 1
        if let amount { contents.sum &+= rows.integer(amount) }
    }

    /// Notes that no block hashes the row under the cursor.
    func skipRow() {
        rows.removeLast()
        unhashed += 1
    }

    /// Compares the row's id and block with those of the row before it.
    func checkOrder(block: Int64, _ findings: inout Findings) {
        let id = id
        seen += 1
        if id != end.id + 1 { findings.add("\(name.rawValue) \(id) follows \(end.id)") }
        if block < end.block {
            findings.add("\(name.rawValue) \(id) is in an earlier block than its predecessor")
        }
        end = WalkPosition.TableEnd(id: id, block: block)
    }

    /// Ends the block.
    ///
    /// - Parameter digest: is told the digest of its rows.
    /// - Returns: what they come to.
    func finishBlock(_ digest: (UnsafeRawBufferPointer) -> Void) -> Contents {
        defer { contents = Contents() }
        guard contents.count > 0 else {
            Self.digestOfNothing.withUnsafeBytes(digest)
            return contents
        }
        // The row under the cursor is the next block's, if there is one.
        rows.withBytes(includingLast: nextBlock == nil) { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: bytes)
            hash.finalize().withUnsafeBytes(digest)
        }
        if nextBlock == nil { rows.removeLast() }
        rows.removeFormer()
        return contents
    }

    private static let digestOfNothing = SHA256().finalize()
}

extension ChainedTable.Name {
    /// The column with the time of the block in which a row was recorded.
    fileprivate var timeColumn: String {
        switch self {
        case .usage, .transfer, .adminLog: "ts_us"
        case .royalty: "fixed_us"
        case .priceBook: "published_us"
        }
    }
}
