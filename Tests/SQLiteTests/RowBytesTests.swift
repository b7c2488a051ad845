import SQLite
import Testing

@Suite struct RowBytesTests {
    @Test func `a row is its columns, each with tag, length and bytes`() throws {
        let connection = try Connection(path: ":memory:")
        let statement = try connection.prepare("SELECT 258, NULL, 'ab', x'', x'07', -1, 1.5")
        #expect(try statement.step())
        var rows = RowBytes()
        rows.append(statement)
        let due: [UInt8] =
            [7, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 97, 98] + [3, 0, 0, 0, 0, 0, 0, 0, 0]
            + [3, 0, 0, 0, 0, 0, 0, 0, 1, 7, 1] + Array(repeating: 255, count: 8)
            + [2, 0, 0, 0, 0, 0, 0, 0, 3, 49, 46, 53]
        #expect(rows.withBytes { Array($0) } == due)
        #expect(rows.integer(0) == 258 && rows.integer(1) == 0 && rows.integer(5) == -1)
    }

    @Test(arguments: [0, 1, 4078, 4079, 4080, 4096, 100_000])
    func `rows longer than the memory at hand are kept whole`(length: Int) throws {
        let connection = try Connection(path: ":memory:")
        let statement = try connection.prepare("SELECT zeroblob(\(length)), 5")
        var rows = RowBytes()
        for _ in 0..<2 {
            #expect(try statement.step())
            rows.append(statement)
            statement.reset()
        }
        #expect(rows.count == 2 * (length + 19))
        #expect(rows.withBytes(includingLast: false) { $0.count } == length + 19)
        #expect(rows.withBytes { $0.last } == 5)
        rows.removeFormer()
        #expect(rows.withBytes { ($0.count, $0.first, $0.last) } == (length + 19, 2, 5))
        rows.removeLast()
        #expect(rows.count == 0 && rows.integer(1) == 5)
    }

    @Test func `a column is found by its name`() throws {
        let connection = try Connection(path: ":memory:")
        let statement = try connection.prepare("SELECT 1 AS one, 2 AS two")
        #expect(try statement.column("two") == 1)
        #expect(throws: SQLiteError.self) { try statement.column("three") }
    }
}
