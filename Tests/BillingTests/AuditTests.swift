import Glibc
import SQLite
import Testing

@testable import Billing

@Suite struct AuditTests {
    /// A ledger with 30 calls, royalties, a quota and two accounts.
    private func filled() async throws -> TestLedger {
        let test = try TestLedger()
        try await test.fund("alice", credits: "100")
        try await test.fund("carol", credits: "100")
        try await test.ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: credits("0.5"))
        try await test.ledger.setQuota(QuotaScope("account:alice"), .spendDay, limit: 90_000_000, actor: "root")
        try await test.ledger.setQuota(QuotaScope("algorithm:bob/hello"), .cpuSecondsMonth, limit: 900, actor: "root")
        for place in 0..<30 {
            _ = try await test.run(call(place % 2 == 0 ? "alice" : "carol"), wall: .milliseconds(10))
        }
        return test
    }

    @Test(arguments: [
        (
            "UPDATE account SET debits = debits + 7000000 WHERE owner = 'alice'", ["I1", "I2"],
            ["alice", "14650000", "7650000"]
        ),
        (
            "UPDATE account SET credits = credits + 5 WHERE owner = 'carol'", ["I1", "I2"],
            ["carol", "100000005", "100000000"]
        ),
        (
            "UPDATE account SET overdraft = 0, debits = 200000000 WHERE owner = 'alice'", ["I1", "I2", "I3"],
            ["overdrawn", "100000000"]
        ),
        ("DELETE FROM transfer WHERE id = 9", ["I2", "I5", "I10", "I11"], ["transfer 10 follows 8"]),
        ("UPDATE transfer SET amount = amount + 1 WHERE id = 9", ["I2", "I5", "I11"], ["usage 3"]),
        (
            "UPDATE transfer SET cr = (SELECT id FROM account WHERE kind = 3) WHERE id = 10", ["I2", "I5", "I11"],
            ["usage 3"]
        ),
        (
            "UPDATE usage SET compute_ucr = 1, amount_ucr = 500001 WHERE seq = 5", ["I5", "I7", "I11", "I14"],
            ["usage 5", "510000"]
        ),
        ("UPDATE usage SET outcome = 2 WHERE seq = 5", ["I7", "I11"], ["algorithm-error"]),
        ("UPDATE usage SET wall_us = 999 WHERE seq = 6", ["I7", "I11"], ["usage 6"]),
        ("UPDATE usage SET mem_peak = 1 WHERE seq = 6", ["I11"], ["block"]),
        ("DELETE FROM usage WHERE seq = 30", ["I11", "I14", "foreign"], ["usage_seq 30"]),
        ("DELETE FROM usage WHERE seq = 3", ["I10", "I11", "I14", "foreign"], ["usage 4 follows 2"]),
        ("UPDATE block SET hash = x'00' WHERE seq = 4", ["I11"], ["block 4", "block 5 does not follow block 4"]),
        ("UPDATE block SET sum_amount = sum_amount + 1 WHERE seq = 12", ["I11"], ["block 12"]),
        ("DELETE FROM block WHERE seq = (SELECT max(seq) FROM block)", ["I11", "foreign"], ["no block"]),
        ("UPDATE block SET ts_us = 5 WHERE seq = 3", ["I10", "I11"], ["block 3 is not later"]),
        (
            "UPDATE quota_used SET used = used - 1000000 WHERE metric = 'spend_day_microcredits'", ["I14"],
            ["account:alice", "6650000", "7650000"]
        ),
        (
            "UPDATE quota_used SET used = 1 WHERE metric = 'cpu_seconds_month'", ["I14"],
            ["algorithm:bob/hello", "90000"]
        ),
        (
            "DELETE FROM quota_used WHERE metric = 'spend_day_microcredits'", ["I14"],
            ["account:alice", "0 microcredits counted"]
        ),
        ("UPDATE price_book SET doc = replace(doc, '1000000', '1000001')", ["I7", "I8", "I11"], ["price book 1"]),
        ("UPDATE royalty SET per_call_ucr = 400000", ["I7", "I11"], ["usage 1 "]),
        ("UPDATE royalty SET author_bps = 9000", ["I5", "I11"], ["usage 1:"]),
        ("UPDATE royalty SET author = 77", ["I11", "foreign"], ["author 77"]),
        ("UPDATE admin_log SET actor = 'nobody' WHERE id = 2", ["I11"], ["hash"]),
        (
            "UPDATE usage SET payer = (SELECT id FROM account WHERE owner = 'carol') WHERE seq = 1",
            ["I5", "I11", "I14"], ["legs with another payer"]
        ),
        (
            "UPDATE account SET debits = 9000000000000000000, credits = 0 WHERE owner = 'alice'", ["I1", "I2", "I3"],
            ["9000000000000000000"]
        ),
    ])
    func `a change made behind the ledger's back is found`(sql: String, rules: [String], words: [String]) async throws {
        let test = try await filled()
        let before = try test.audit()
        #expect(before.ok, "\(before.violations)")
        try test.tamper(sql)
        let report = try test.audit()
        #expect(!report.ok)
        let failed = Set(report.checks.filter { !$0.ok }.map { String($0.name.prefix { $0 != " " }) })
        #expect(failed.isSuperset(of: rules), "\(failed) for \(sql)")
        #expect(failed.isSubset(of: rules + ["quick_check"]), "\(failed) for \(sql)")
        let details = report.violations.map(\.detail).joined(separator: "\n")
        for word in words { #expect(details.contains(word), "\(word) in \(details)") }
    }

    @Test func `a long list of findings is cut and counted`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "100")
        for _ in 0..<AuditReport.violationsMax + 5 { _ = try await test.run(call()) }
        try test.tamper("UPDATE usage SET outcome = 99")
        let report = try test.audit()
        let rated = report.violations.filter { $0.check.hasPrefix("I7") }
        #expect(rated.count == AuditReport.violationsMax + 1)
        #expect(rated.last?.detail == "and 5 more")
    }

    @Test func `the file is audited while charges go on`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "100000")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<300 {
                group.addTask { _ = try await test.run(call()) }
            }
            for _ in 0..<5 {
                let report = try test.audit()
                #expect(report.ok, "\(report.violations)")
                try await Task.sleep(for: .milliseconds(5))
            }
            try await group.waitForAll()
        }
    }

    @Test func `a closed ledger is one file, and its copy is audited without a log`() async throws {
        let test = try await filled()
        test.ledger.close()
        #expect(access(test.path + "-wal", F_OK) != 0)
        let report = try test.audit()
        #expect(report.ok && report.checks.count == 12, "\(report)")
    }

    @Test(.enabled(if: geteuid() == 0, "mounts a read-only folder"))
    func `a copy in a folder that cannot be written is audited`() async throws {
        let test = try await filled()
        test.ledger.close()
        let folder = try TemporaryFolder()
        try folder.mountMemory(kibibytes: 8192)
        defer { folder.unmount() }
        try copyFile(test.path, folder.file("copy.db"))
        try folder.makeReadOnly()
        let report = try Ledger.audit(path: folder.file("copy.db"))
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `what is no ledger is an error, not a finding`() throws {
        let folder = try TemporaryFolder()
        let missing = #expect(throws: LedgerError.self) { try Ledger.audit(path: folder.file("none.db")) }
        #expect(missing?.kind == .open)
        let other = try Connection(path: folder.file("other.db"))
        try other.execute("CREATE TABLE t(i)")
        #expect(throws: LedgerError.self) { try Ledger.audit(path: folder.file("other.db")) }
    }
}
