import SQLite

/// An append-only table whose rows go into the block chain: dense ids, the block's number beside each row.
///
/// A row is written column by column, at once into the statement and into what the block hashes:
/// ``begin()``, then one of ``integer(_:)``, ``text(_:)``, ``blob(_:)`` or ``null()`` for each column, then ``finish()``.
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

        /// Columns that were added later: a row's hash takes them up to the last one that is not null.
        var addedCount: Int {
            switch self {
            case .usage: 3
            case .transfer: 1
            default: 0
            }
        }

        /// Columns at the end that repeat what others say; no part of the hash.
        var derivedCount: Int { self == .usage ? 1 : 0 }

        /// Columns of the first release; a row's hash takes them all.
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
    @exclusivity(unchecked) private(set) var lastID: Int64
    /// First id of the block being built.
    private(set) var firstInBlock: Int64?
    @exclusivity(unchecked) private var rows = HashedRows()
    @exclusivity(unchecked) private var column: Int32 = 0
    private let required: UInt8
    private let hashed: Int32
    @exclusivity(unchecked) private var failure: SQLiteError?

    init(_ name: Name, connection: Connection) throws(SQLiteError) {
        required = UInt8(name.columnCount)
        hashed = Int32(name.columnCount + name.addedCount)
        let marks = Array(repeating: "?", count: Int(hashed) + name.derivedCount).joined(separator: ",")
        insert = try connection.prepare("INSERT INTO \(name.rawValue) VALUES (\(marks))", persistent: true)
        let last = try connection.query("SELECT coalesce(max(\(name.key)),0) FROM \(name.rawValue)") {
            (row) throws(SQLiteError) in row.int64(0)
        }
        lastID = last.first ?? 0
    }

    /// Begins a row under the next id.
    func begin() {
        rows.beginRow(required: required)
        (column, failure) = (0, nil)
        integer(lastID + 1)
    }

    /// The next column: an integer.
    func integer(_ value: Int64) {
        bind { (index) throws(SQLiteError) in try insert.bind(index, value) }
        if column <= hashed { rows.integer(value) }
    }

    /// The next column: text.
    func text(_ value: String) {
        bind { (index) throws(SQLiteError) in try insert.bind(index, value) }
        rows.text(value)
    }

    /// The next column: bytes.
    func blob(_ value: [UInt8]) {
        bind { (index) throws(SQLiteError) in try insert.bind(index, value) }
        rows.blob(value)
    }

    /// The next column: nothing.
    func null() {
        bind { (index) throws(SQLiteError) in try insert.bindNull(index) }
        if column <= hashed { rows.null() }
    }

    /// Inserts the row.
    ///
    /// - Returns: its id.
    /// - Throws: `SQLiteError`; the table is as before then.
    func finish() throws(SQLiteError) -> Int64 {
        do throws(SQLiteError) {
            if let failure { throw failure }
            try insert.run()
        } catch {
            rows.dropRow()
            throw error
        }
        rows.finishRow()
        lastID += 1
        if firstInBlock == nil { firstInBlock = lastID }
        return lastID
    }

    /// Rows of the block being built.
    var count: Int64 { firstInBlock.map { lastID - $0 + 1 } ?? 0 }

    /// Ends the block.
    ///
    /// - Returns: the digest of its rows.
    func finishBlock() -> [UInt8] {
        firstInBlock = nil
        return rows.takeDigest()
    }

    private func bind(_ body: (Int32) throws(SQLiteError) -> Void) {
        column += 1
        do throws(SQLiteError) { try body(column) } catch { failure = failure ?? error }
    }
}

extension ChainedTable {
    /// The next column: an integer, or nothing.
    func integer(_ value: Int64?) {
        if let value { integer(value) } else { null() }
    }

    /// The next column: a value of any storage class.
    func append(_ value: Value) {
        switch value {
        case .null: null()
        case .integer(let value): integer(value)
        case .text(let value): text(value)
        case .blob(let value): blob(value)
        }
    }

    /// The next column: bytes, or nothing.
    func blob(_ value: [UInt8]?) {
        if let value { blob(value) } else { null() }
    }

    /// The next column: text, or nothing.
    func text(_ value: String?) {
        if let value { text(value) } else { null() }
    }
}
