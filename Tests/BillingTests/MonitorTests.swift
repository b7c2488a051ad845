import SQLite
import Testing

@testable import Billing

// One after another: each fills a ledger, and the tests beside them measure time.
@Suite(.serialized) struct MonitorTests {
    private func filled(calls: Int = 20) async throws -> TestLedger {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        try await test.ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: credits("0.5"))
        try await test.ledger.setQuota(QuotaScope("account:alice"), .spendDay, limit: 900_000_000, actor: "root")
        for _ in 0..<calls { _ = try await test.run(call()) }
        return test
    }

    /// Changes a row beside the ledger, which goes on.
    private func tamper(_ test: TestLedger, _ sql: String) throws {
        let connection = try Connection(path: test.path)
        try connection.execute("PRAGMA ignore_check_constraints = ON")
        for table in ["usage", "transfer", "block", "royalty", "price_book", "admin_log"] {
            try connection.execute("DROP TRIGGER IF EXISTS \(table)_ro_u; DROP TRIGGER IF EXISTS \(table)_ro_d")
        }
        try connection.execute(sql)
    }

    @Test func `the first pass looks at everything, the next ones at what is new and at some of the old`() async throws
    {
        let test = try await filled()
        let monitor = LedgerMonitor(path: test.path, oldRowsMax: 7)
        let first = try monitor.pass()
        #expect(first.report.ok && first.isWhole && first.oldBlocks == 0, "\(first)")
        for _ in 0..<10 { _ = try await test.run(call()) }
        let second = try monitor.pass()
        #expect(second.report.ok && !second.isWhole, "\(second.report.violations)")
        #expect(second.block == first.block + 10)
        // Blocks of few rows each: as many as reach seven rows.
        #expect((1...7).contains(second.oldBlocks))
        var reviewed = second.oldBlocks
        for _ in 0..<100 where reviewed < second.block {
            let pass = try monitor.pass()
            #expect(pass.report.ok, "\(pass.report.violations)")
            reviewed += pass.oldBlocks
        }
        #expect(reviewed == second.block, "one round sees each block once")
    }

    @Test func `a row that says the file is of another release does not put the audit to sleep`() async throws {
        let test = try await filled()
        let monitor = LedgerMonitor(path: test.path)
        #expect(try monitor.pass().report.ok)
        try tamper(test, "INSERT INTO schema_migrations(number, name) VALUES (4, 'later')")
        let found = try monitor.pass().report
        #expect(!found.ok && found.violations.first?.detail.contains("schema 4") == true, "\(found)")
    }

    @Test func `quotas, days and accounts that come and go are no differences`() async throws {
        let test = try await filled()
        let monitor = LedgerMonitor(path: test.path)
        #expect(try monitor.pass().report.ok)
        for round in 0..<4 {
            let scope = try QuotaScope("algorithm:bob/hello")
            try await test.ledger.setQuota(scope, .cpuSecondsMonth, limit: 900, actor: "root")
            try await test.fund("new\(round)", credits: "5")
            _ = try await test.run(call("new\(round)"))
            _ = try await test.run(call())
            let set = try monitor.pass()
            #expect(set.report.ok && !set.isWhole, "\(set.report.violations)")
            try await test.ledger.unsetQuota(scope, .cpuSecondsMonth, actor: "root")
            test.unix.advance(by: CalendarWindow.microsecondsPerDay * 13)
            _ = try await test.run(call())
            let unset = try monitor.pass()
            #expect(unset.report.ok, "\(unset.report.violations)")
        }
        #expect(try test.audit().ok)
    }

    @Test(arguments: [
        "UPDATE account SET credits = credits + 1 WHERE owner = 'alice'",
        "UPDATE account SET credits = credits + 1 WHERE kind = 2; UPDATE account SET debits = debits + 1 WHERE kind = 5",
        "UPDATE transfer SET amount = amount - 1 WHERE id = 1",
        "UPDATE usage SET amount_ucr = 1, compute_ucr = 1, royalty_ucr = 0 WHERE seq = 3",
        "UPDATE usage SET mem_peak = 9 WHERE seq = 1",
        "UPDATE quota_used SET used = used + 1",
        "INSERT INTO quota_used VALUES('account:alice', 'spend_day_microcredits', 9223372036854775807, 5)",
        "DELETE FROM block WHERE seq = (SELECT max(seq) FROM block)",
        "UPDATE block SET hash = x'00' WHERE seq = (SELECT max(seq) FROM block)",
        "UPDATE price_book SET doc = replace(doc, '1000000', '1000001')",
        "UPDATE admin_log SET actor = 'nobody' WHERE id = 1",
    ])
    func `a change of any row is found by the next pass over a ledger that fits into one`(sql: String) async throws {
        let test = try await filled()
        let monitor = LedgerMonitor(path: test.path)
        #expect(try monitor.pass().report.ok)
        try tamper(test, sql)
        #expect(try !monitor.pass().report.ok)
        #expect(try !monitor.pass().report.ok, "and by the one after it")
    }

    @Test func `calls that go on do not put off the look at old blocks`() async throws {
        let test = try await filled()
        let monitor = LedgerMonitor(path: test.path)
        for _ in 0..<5 {
            #expect(try monitor.pass().report.ok)
            _ = try await test.run(call())
        }
        try tamper(test, "UPDATE usage SET mem_peak = 9 WHERE seq = 2")
        _ = try await test.run(call())
        #expect(try !monitor.pass().report.ok)
    }

    @Test func `a chain written anew to its end is found, although it holds in itself`() async throws {
        let test = try await filled()
        let monitor = LedgerMonitor(path: test.path)
        #expect(try monitor.pass().report.ok)
        let other = try await filled()
        test.ledger.close()
        let (old, new) = (try Connection(path: test.path), try Connection(path: other.path))
        try new.backup(to: old)
        #expect(try test.audit().ok, "the other ledger is right in itself")
        let pass = try monitor.pass()
        #expect(pass.report.violations.contains { $0.detail.contains("when it was checked") }, "\(pass.report)")
    }

    @Test func `a record charged twice beside the ledger is found among the new ones`() async throws {
        let test = try await filled()
        let monitor = LedgerMonitor(path: test.path)
        #expect(try monitor.pass().report.ok)
        let columns = try Connection(path: test.path).query("SELECT name FROM pragma_table_info('usage')") {
            (row) throws(SQLiteError) in row.string(0)
        }
        let values = columns.map { $0 == "seq" ? "21" : $0 == "invocation" ? "x'00'" : $0 }.joined(separator: ",")
        try tamper(test, "INSERT INTO usage SELECT \(values) FROM usage WHERE seq = 20")
        let found = Set(try monitor.pass().report.violations.map { $0.check.prefix { $0 != " " } })
        #expect(found.isSuperset(of: ["I5", "I11", "I14"]), "\(found)")
    }

    @Test func `a stopped ledger refuses calls that come and that wait, and charges those that run`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        try await test.ledger.setQuota(QuotaScope("account:alice"), .concurrentCalls, limit: 1, actor: "root")
        let running = try await test.ledger.admit(call())
        async let waiting = Result { try await test.run(call()) }
        try await until { test.ledger.load.waiting == 1 }
        test.ledger.suspendAdmission(because: "a test")
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(refusal?.kind == .suspended && refusal?.message.contains("ledger_audit_failed") == true)
        let receipt = try await test.ledger.settle(running, usage(wall: .milliseconds(5)))
        #expect(receipt.charge == (try credits("0.005")))
        guard case .failure(let error) = await waiting else { throw Unexpected() }
        #expect((error as? Refusal)?.kind == .suspended)
        #expect(try test.ledger.balance(of: "alice").held == .zero)
        test.ledger.resumeAdmission()
        _ = try await test.run(call())
        #expect(try test.audit().ok)
    }

    private struct Unexpected: Error {}
}
