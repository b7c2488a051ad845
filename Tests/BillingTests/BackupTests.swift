import Glibc
import Testing

@testable import Billing

// One after another: each fills a ledger, and the tests beside them measure time.
@Suite(.serialized) struct BackupTests {
    @Test func `a backup made while charges go on is clean, and its head is in the chain`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "100000")
        let copy = test.folder.file("copy.db")
        let made = try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<400 { group.addTask { _ = try await test.run(call()) } }
            try await until { test.ledger.load.admitted > 0 }
            let made = try Ledger.backup(path: test.path, to: copy, key: nil)
            try await group.waitForAll()
            return made
        }
        _ = try await test.run(call())
        #expect(made.path == copy && made.bytes > 0)
        let report = try Ledger.restoreCheck(copy, against: test.path, key: nil)
        #expect(report.ok && report.head == made.head, "\(report.violations)")
        let loss = try #require(report.loss)
        let kept = try Ledger.audit(path: copy).checks.first { $0.name.hasPrefix("I7") }?.examined ?? -1
        #expect(loss.usageRecords == 401 - kept && loss.chargedMicrocredits == loss.usageRecords * 5000)
        #expect(loss.topUps == 0 && loss.blocks >= 1)
        var status = stat()
        #expect(stat(copy, &status) == 0 && status.st_mode & 0o077 == 0)
    }

    @Test func `nothing is written over, and nothing is left of what failed`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1")
        let copy = test.folder.file("copy.db")
        _ = try Ledger.backup(path: test.path, to: copy, key: nil)
        let again = #expect(throws: LedgerError.self) { try Ledger.backup(path: test.path, to: copy, key: nil) }
        #expect(again?.kind == .conflict)
        let nowhere = test.folder.file("none/copy.db")
        #expect(throws: LedgerError.self) { try Ledger.backup(path: test.path, to: nowhere, key: nil) }
        #expect(throws: LedgerError.self) { try Ledger.backup(path: nowhere, to: test.folder.file("x"), key: nil) }
        #expect(access(test.folder.file("x"), F_OK) != 0)
        #expect(try Ledger.audit(path: copy).ok)
    }

    @Test(.enabled(if: geteuid() == 0, "mounts a small file system"))
    func `a disk without room for a backup and for charges is refused`() async throws {
        let test = try TestLedger()
        let folder = try TemporaryFolder()
        try folder.mountMemory(kibibytes: 250 << 10)
        defer { folder.unmount() }
        let error = #expect(throws: LedgerError.self) {
            try Ledger.backup(path: test.path, to: folder.file("copy.db"), key: nil)
        }
        #expect(error?.kind == .invalid && error?.detail.contains("MiB free") == true, "\(String(describing: error))")
        try folder.resizeMemory(kibibytes: 400 << 10)
        #expect(try Ledger.backup(path: test.path, to: folder.file("copy.db"), key: nil).head?.block == 1)
    }

    @Test func `a copy of another ledger, or a changed one, is not worth restoring`() async throws {
        let (test, other) = (try TestLedger(), try TestLedger())
        try await test.fund("alice", credits: "1")
        try await other.fund("bert", credits: "1")
        let copy = test.folder.file("copy.db")
        _ = try Ledger.backup(path: other.path, to: copy, key: nil)
        let report = try Ledger.restoreCheck(copy, against: test.path, key: nil)
        #expect(!report.ok && report.loss == nil, "\(report)")
        let alone = try Ledger.restoreCheck(copy, against: nil, key: nil)
        #expect(alone.ok && alone.loss == nil && alone.checks.count == 15)
    }
}
