import Crypto
import SQLite

/// A block of the chain is the hash of the former block and of every row recorded since.
///
/// `hash = SHA-256(prev ‖ SHA-256(rows of each table, in the order of `ChainedTable.Name`) ‖ n ‖ Σ amount ‖ ts)`;
/// a row is the count of its columns and then each column as tag, length and bytes, integers big-endian.
enum BlockHash {
    /// The hash before the first block.
    static let genesis = [UInt8](repeating: 0, count: 32)

    static func hash(prev: [UInt8], tables: [[UInt8]], rows: Int64, sum: Int64, ledgerMicroseconds: Int64) -> [UInt8] {
        var bytes = prev
        for digest in tables { bytes += digest }
        for number in [rows, sum, ledgerMicroseconds] { append(UInt64(bitPattern: number), to: &bytes) }
        return Array(SHA256.hash(data: bytes))
    }

    static func append(_ row: [Value], to bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: row.count))
        for value in row {
            switch value {
            case .null: bytes.append(0)
            case .integer(let integer):
                bytes.append(1)
                append(UInt64(bitPattern: integer), to: &bytes)
            case .text(let text):
                bytes.append(2)
                append(UInt64(text.utf8.count), to: &bytes)
                bytes.append(contentsOf: text.utf8)
            case .blob(let blob):
                bytes.append(3)
                append(UInt64(blob.count), to: &bytes)
                bytes.append(contentsOf: blob)
            }
        }
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

/// An append-only table whose rows go into the block chain: dense ids, the block number in the last column.
final class ChainedTable {
    /// The chained tables in the order in which a block hashes them.
    enum Name: String, CaseIterable {
        case usage, transfer, royalty
        case priceBook = "price_book"
        case adminLog = "admin_log"

        var key: String {
            switch self {
            case .usage: "seq"
            case .priceBook: "version"
            default: "id"
            }
        }

        var columnCount: Int {
            switch self {
            case .usage: 31
            case .transfer: 10
            case .royalty: 8
            case .priceBook: 6
            case .adminLog: 8
            }
        }
    }

    private let insert: Statement
    private(set) var lastID: Int64
    /// First id of the block being built.
    private(set) var firstInBlock: Int64?
    private var rows: [UInt8] = []

    init(_ name: Name, connection: Connection) throws(SQLiteError) {
        let marks = Array(repeating: "?", count: name.columnCount).joined(separator: ",")
        insert = try connection.prepare("INSERT INTO \(name.rawValue) VALUES (\(marks))", persistent: true)
        let last = try connection.query("SELECT coalesce(max(\(name.key)),0) FROM \(name.rawValue)") {
            (row) throws(SQLiteError) in row.int64(0)
        }
        lastID = last.first ?? 0
    }

    /// Inserts a row under the next id.
    ///
    /// - Parameter columns: all columns after the id.
    /// - Returns: the id.
    /// - Throws: `SQLiteError`; the table is as before then.
    func append(_ columns: [Value]) throws(SQLiteError) -> Int64 {
        let id = lastID + 1
        let row = [.integer(id)] + columns
        try insert.bind(row)
        try insert.run()
        BlockHash.append(row, to: &rows)
        lastID = id
        if firstInBlock == nil { firstInBlock = id }
        return id
    }

    /// Rows of the block being built.
    var count: Int64 { firstInBlock.map { lastID - $0 + 1 } ?? 0 }

    /// Ends the block.
    ///
    /// - Returns: the digest of its rows.
    func finishBlock() -> [UInt8] {
        defer {
            rows.removeAll(keepingCapacity: true)
            firstInBlock = nil
        }
        return Array(SHA256.hash(data: rows))
    }
}
