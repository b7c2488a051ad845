import SQLite

extension Audit {
    func idsAreDense(_ findings: inout Findings) throws(SQLiteError) {
        for (table, key) in ChainedTable.Name.allCases.map({ ($0.rawValue, $0.key) }) + [("block", "seq")] {
            var last: Int64 = 0
            var lastBlock: Int64 = 0
            let block = table == "block" ? "seq" : "block"
            try each("SELECT \(key), \(block) FROM \(table) ORDER BY \(key)") { (row) throws(SQLiteError) in
                findings.examined += 1
                if row.int64(0) != last + 1 { findings.add("\(table) \(row.int64(0)) follows \(last)") }
                if row.int64(1) < lastBlock {
                    findings.add("\(table) \(row.int64(0)) is in an earlier block than its predecessor")
                }
                (last, lastBlock) = (row.int64(0), row.int64(1))
            }
        }
        var time = Int64.min
        try each("SELECT seq, ts_us FROM block ORDER BY seq") { (row) throws(SQLiteError) in
            if row.int64(1) <= time { findings.add("block \(row.int64(0)) is not later than its predecessor") }
            time = row.int64(1)
        }
        for (table, key, column) in [
            ("usage", "seq", "ts_us"), ("transfer", "id", "ts_us"), ("admin_log", "id", "ts_us"),
            ("royalty", "id", "fixed_us"), ("price_book", "version", "published_us"),
        ] {
            let sql = "SELECT t.\(key) FROM \(table) t JOIN block b ON b.seq = t.block WHERE t.\(column) <> b.ts_us"
            try each(sql) { (row) throws(SQLiteError) in
                findings.add("\(table) \(row.int64(0)) has another time than its block")
            }
        }
    }

    func chainIsWhole(_ findings: inout Findings) throws(SQLiteError) {
        var cursors: [TableCursor] = []
        for name in ChainedTable.Name.allCases { cursors.append(try TableCursor(name, connection: connection)) }
        var head = BlockHash.genesis
        let columns = "seq, prev, hash, first_transfer, last_transfer, first_usage, last_usage, n, sum_amount, ts_us"
        try each("SELECT \(columns) FROM block ORDER BY seq") { (row) throws(SQLiteError) in
            findings.examined += 1
            var contents: [TableCursor.Contents] = []
            for cursor in cursors { contents.append(try cursor.take(block: row.int64(0))) }
            let (sequence, hash) = (row.int64(0), row.bytes(2))
            let (usage, transfers) = (contents[0], contents[1])
            let rows = contents.reduce(0) { $0 + $1.count }
            let found = [
                row.optionalInt64(3), row.optionalInt64(4), row.optionalInt64(5), row.optionalInt64(6), row.int64(7),
                row.int64(8),
            ]
            let due = [transfers.first, transfers.last, usage.first, usage.last, rows, transfers.sum]
            if found != due {
                let figures = "ranges, rows and sum \(Self.text(found)), should be \(Self.text(due))"
                findings.add("block \(sequence): \(figures)")
            }
            if row.bytes(1) != head { findings.add("block \(sequence) does not follow block \(sequence - 1)") }
            let expected = BlockHash.hash(
                prev: head,
                tables: contents.map(\.digest),
                rows: rows,
                sum: transfers.sum,
                ledgerMicroseconds: row.int64(9)
            )
            if expected != hash { findings.add("block \(sequence): its hash is not that of its rows") }
            head = hash
        }
        for cursor in cursors {
            guard let block = cursor.nextBlock else { continue }
            findings.add("\(cursor.name.rawValue) has rows that no block hashes, the first in block \(block)")
        }
    }

    private static func text(_ numbers: [Int64?]) -> String {
        "[" + numbers.map { $0.map { "\($0)" } ?? "none" }.joined(separator: ", ") + "]"
    }
}

/// Walks through one chained table in step with the blocks.
final class TableCursor {
    struct Contents {
        var first: Int64?
        var last: Int64?
        var count: Int64 = 0
        var sum: Int64 = 0
        var digest: [UInt8] = []
    }

    let name: ChainedTable.Name
    private let statement: Statement
    /// The block of the row under the cursor; nil at the end.
    private(set) var nextBlock: Int64?

    init(_ name: ChainedTable.Name, connection: Connection) throws(SQLiteError) {
        self.name = name
        statement = try connection.prepare("SELECT * FROM \(name.rawValue) ORDER BY \(name.key)")
        try advance()
    }

    /// Takes the rows of one block; rows of earlier blocks that nobody took are left where they are.
    func take(block: Int64) throws(SQLiteError) -> Contents {
        var contents = Contents()
        var rows = RowBytes()
        while nextBlock == block {
            contents.first = contents.first ?? statement.int64(0)
            contents.last = statement.int64(0)
            contents.count += 1
            if name == .transfer { contents.sum &+= statement.int64(4) }
            rows.append(statement.row.dropLast(name.derivedCount), required: UInt8(name.columnCount))
            try advance()
        }
        contents.digest = rows.takeDigest()
        return contents
    }

    private func advance() throws(SQLiteError) {
        nextBlock = try statement.step() ? statement.int64(Int32(name.columnCount - 1)) : nil
    }
}

extension RowBytes {
    fileprivate mutating func append(_ row: ArraySlice<Value>, required: UInt8) {
        beginRow(required: required)
        for value in row {
            switch value {
            case .null: null()
            case .integer(let integer): self.integer(integer)
            case .text(let text): self.text(text)
            case .blob(let bytes): blob(bytes)
            }
        }
        finishRow()
    }
}
