import Foundation
import SQLite
import Testing

@testable import Billing

/// Files of former releases are opened, brought up to date, and right afterwards.
@Suite struct MigrationTests {
    /// A file of schema 1: 14 calls of a real daemon, with royalties, failures and a monthly cap.
    private func former() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/ledger-1.sql")
        let connection = try Connection(path: folder.file("ledger.db"))
        try connection.execute(try String(contentsOf: source, encoding: .utf8))
        return folder
    }

    @Test func `a file of schema 1 keeps its chain, its money and its lists`() async throws {
        let test = try TestLedger(in: try former(), unix: 1_795_480_000_000_000)
        #expect(try test.ledger.usage(limit: 100).count == 14)
        #expect(try test.ledger.usage(account: "caller", limit: 100).count == 14)
        #expect(try test.ledger.usage(account: "caller", limit: 3) == test.ledger.usage(limit: 3))
        #expect(try test.ledger.quotas().map(\.metric) == [.spendMonth])
        let before = try test.audit()
        #expect(before.ok, "\(before.violations)")
        let receipt = try await test.run(call("caller", version: 1))
        #expect(try test.ledger.usage(account: "caller", limit: 1).map(\.id) == [receipt.invocation.description])
        let after = try test.audit()
        #expect(after.ok, "\(after.violations)")
    }

    @Test(arguments: [
        (1, "schema 1, this program reads 3: read it with the release that wrote it, an earlier one"),
        (4, "schema 4, this program reads 3: read it with the release that wrote it, a later one"),
    ])
    func `a file of another schema is not called wrong, but of another schema`(last: Int64, words: String) throws {
        let folder = try former()
        let connection = try Connection(path: folder.file("ledger.db"))
        for number in 2..<max(2, last + 1) {
            try connection.run("INSERT INTO schema_migrations(number, name) VALUES (?, 'x')", .integer(number))
        }
        let error = #expect(throws: LedgerError.self) { try Ledger.audit(path: folder.file("ledger.db")) }
        #expect(error?.kind == .schema)
        #expect(error?.detail.contains(words) == true, "\(String(describing: error))")
        let backup = try Ledger.backup(path: folder.file("ledger.db"), to: folder.file("backup.db"), key: nil)
        #expect(try Ledger.head(path: backup.path, key: nil) == backup.head)
    }

    @Test(arguments: [
        "UPDATE transfer SET amount = amount + 1 WHERE id = 5", "UPDATE usage SET cpu_us = cpu_us + 1 WHERE seq = 3",
        "DELETE FROM usage WHERE seq = 14",
    ])
    func `what was recorded before cannot be changed unnoticed after`(change: String) async throws {
        let test = try TestLedger(in: try former(), unix: 1_795_480_000_000_000)
        try test.tamper(change)
        #expect(try !test.audit().ok)
    }
}
