import SQLite
import Testing

@Suite struct ConnectionTests {
    @Test func `a statement gives back what was bound, byte for byte`() throws {
        let db = try Connection(path: ":memory:")
        try db.execute("CREATE TABLE t(i INTEGER, s TEXT, b BLOB)")
        let insert = try db.prepare("INSERT INTO t VALUES (?, ?, ?)", persistent: true)
        let texts = ["", "a", "ü\u{0}x", "a string of more than fifteen bytes, so that it lives on the heap"]
        for text in texts {
            try insert.bind([.integer(.min), .text(text), .blob(Array(text.utf8))])
            try insert.run()
        }
        try insert.bind([.null, .null, .null])
        try insert.run()
        let rows = try db.query("SELECT i, s, b FROM t ORDER BY rowid") { (row) throws(SQLiteError) in
            (row.optionalInt64(0), row.optionalString(1), row.optionalBytes(2))
        }
        #expect(rows.map(\.0) == [.min, .min, .min, .min, nil])
        #expect(rows.map(\.1) == texts + [nil])
        #expect(rows.map(\.2) == texts.map { Array($0.utf8) } + [nil])
    }

    @Test func `an error names the step, both codes and the statement`() throws {
        let db = try Connection(path: ":memory:")
        try db.execute("CREATE TABLE t(i INTEGER PRIMARY KEY, s TEXT UNIQUE)")
        try db.run("INSERT INTO t VALUES (1, 'a')")
        let duplicate = #expect(throws: SQLiteError.self) { try db.run("INSERT INTO t VALUES (2, 'a')") }
        #expect(duplicate?.step == .step)
        #expect(duplicate?.code == 19)
        #expect(duplicate?.extendedCode == 2067)
        #expect(duplicate?.isUniqueViolation == true)
        #expect(duplicate?.message.contains("t.s") == true)
        #expect(duplicate?.sql == "INSERT INTO t VALUES (2, 'a')")
        #expect(throws: SQLiteError.self) { try db.prepare("SELECT 1; SELECT 2").run() }
        #expect(throws: SQLiteError.self) { try db.prepare("  -- nothing").run() }
        #expect(throws: SQLiteError.self) { try db.prepare("SELECT ?, ?").bind([1]) }
        #expect(throws: SQLiteError.self) { try Connection(path: "/nowhere/at/all.db") }
    }

    @Test func `a transaction that throws leaves nothing behind`() throws {
        struct Refused: Error {}
        let db = try Connection(path: ":memory:")
        try db.execute("CREATE TABLE t(i INTEGER)")
        #expect(throws: Refused.self) {
            try db.transaction(translating: { _ in Refused() }) { () throws(Refused) in
                do { try db.run("INSERT INTO t VALUES (1)") } catch { throw Refused() }
                throw Refused()
            }
        }
        #expect(!db.isInTransaction)
        try db.transaction { () throws(SQLiteError) in _ = try db.run("INSERT INTO t VALUES (2)") }
        let rows = try db.query("SELECT i FROM t") { (row) throws(SQLiteError) in row.int64(0) }
        #expect(rows == [2])
    }

    @Test func `a full database is an error of its own, and the connection survives it`() throws {
        let folder = try TemporaryFolder()
        let db = try Connection(path: folder.file("full.db"))
        try db.useWriteAheadLog(automaticCheckpointPages: 0)
        try db.execute("CREATE TABLE t(b BLOB)")
        try db.pragma("max_page_count = 8")
        let error = #expect(throws: SQLiteError.self) {
            try db.transaction { () throws(SQLiteError) in
                for _ in 0..<16 { try db.run("INSERT INTO t VALUES (zeroblob(4000))") }
            }
        }
        #expect(error?.isFull == true)
        #expect(!db.isInTransaction)
        try db.run("INSERT INTO t VALUES (x'01')")
        #expect(try db.checkpoint(.passive).logPages > 0)
    }

    @Test func `a read-only connection reads beside the writer and an immutable one without a log`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("odd %name?#.db")
        let db = try Connection(path: path)
        try db.useWriteAheadLog(automaticCheckpointPages: 0)
        try db.execute("CREATE TABLE t(i INTEGER); INSERT INTO t VALUES (7)")
        try db.checkpoint(.restart)
        for access in [Connection.Access.readOnly, .immutable] {
            let reader = try Connection(path: path, access: access)
            let rows = try reader.query("SELECT i FROM t") { (row) throws(SQLiteError) in row.int64(0) }
            #expect(rows == [7])
            #expect(throws: SQLiteError.self) { try reader.run("DELETE FROM t") }
        }
    }
}

@Suite struct MigratorTests {
    private let first = Migration(number: 1, name: "tables", sql: "CREATE TABLE t(i INTEGER)")
    private let second = Migration(number: 2, name: "column", sql: "ALTER TABLE t ADD COLUMN s TEXT")

    @Test func `each migration is applied once and the history is kept`() throws {
        let db = try Connection(path: ":memory:")
        #expect(try db.migrate([first]) == 1)
        #expect(try db.migrate([first, second]) == 1)
        #expect(try db.migrate([first, second]) == 0)
        let names = try db.query("SELECT name FROM schema_migrations ORDER BY number") { (row) throws(SQLiteError) in
            row.string(0)
        }
        #expect(names == ["tables", "column"])
    }

    @Test func `a failing migration leaves the schema as it was`() throws {
        let db = try Connection(path: ":memory:")
        let broken = Migration(number: 2, name: "broken", sql: "CREATE TABLE u(i INTEGER); SELECT nonsense")
        #expect(throws: SQLiteError.self) { try db.migrate([first, broken]) }
        #expect(try db.migrate([first, second]) == 2)
    }

    @Test func `a file from a newer or another program is refused`() throws {
        let db = try Connection(path: ":memory:")
        try db.migrate([first, second])
        let newer = #expect(throws: SQLiteError.self) { try db.migrate([first]) }
        #expect(newer?.step == .migrate)
        let other = Migration(number: 1, name: "other", sql: "SELECT 1")
        #expect(throws: SQLiteError.self) { try db.migrate([other, second]) }
    }
}
