import Glibc
import SQLite
import Testing

@testable import Billing

// One after another: each fills a ledger, and the tests beside them measure time.
@Suite(.serialized) struct AuditTests {
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
        ("DELETE FROM usage WHERE seq = 30", ["I2", "I11", "I14", "foreign"], ["usage_seq 30"]),
        ("DELETE FROM usage WHERE seq = 3", ["I2", "I10", "I11", "I14", "foreign"], ["usage 4 follows 2"]),
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
            ["I2", "I5", "I11", "I14"], ["legs with another payer"]
        ),
        (
            "UPDATE account SET debits = 9000000000000000000, credits = 0 WHERE owner = 'alice'", ["I1", "I2", "I3"],
            ["9000000000000000000"]
        ),
        (
            "UPDATE royalty SET per_call_ucr = -9223372036854775807 - 1", ["I7", "I11"],
            ["usage 1 ", "cannot be rated"]
        ),
        (
            "UPDATE price_book SET doc = replace(doc, '\"incrementMicroseconds\":1000', '\"incrementMicroseconds\":0')",
            ["I7", "I8", "I11"], ["usage 1 cannot be rated"]
        ),
        (
            "UPDATE transfer SET usage_seq = 20 WHERE id = 9", ["I5", "I11"],
            ["usage 3:", "usage 20:", "time or block 1"]
        ),
        ("UPDATE transfer SET ts_us = ts_us + 1 WHERE id = 9", ["I5", "I10", "I11"], ["transfer 9 has another time"]),
        ("UPDATE transfer SET code = 100 WHERE id = 9", ["I5", "I11"], ["code 100 and usage disagree"]),
        ("UPDATE usage SET block = 20 WHERE seq = 1", ["I5", "I10", "I11"], ["usage 2 is in an earlier block"]),
        (
            "UPDATE usage SET block = 700 WHERE seq = 30", ["I5", "I11", "foreign"],
            ["usage 30: block 700 is not in block"]
        ),
        ("UPDATE usage SET price_version = 9 WHERE seq = 30", ["I7", "I11", "foreign"], ["price_version 9 is not in"]),
        ("UPDATE usage SET cpu_us = 1 WHERE seq = 2", ["I7", "I11"], ["billed CPU 3000 µs, should be 1"]),
        (
            "DELETE FROM block WHERE seq = 12", ["I10", "I11", "foreign"],
            ["block 13 follows 11", "block 12 is not in block"]
        ),
        ("DELETE FROM royalty", ["I7", "I11", "I5", "foreign"], ["version 1 has no royalty"]),
        (
            "UPDATE admin_log SET id = 100 WHERE id = (SELECT max(id) FROM admin_log)", ["I10", "I11"],
            ["admin_log 100"]
        ),
        ("UPDATE quota_used SET metric = 'x'", ["I14"], ["unknown metric x"]),
        ("UPDATE transfer SET dr = 99 WHERE id = 9", ["I2", "I5", "I11", "foreign"], ["dr 99 is not in account"]),
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
        let shared = try Ledger.audit(path: test.path, sharedFrom: 2)
        #expect(
            shared.checks == report.checks && shared.violations == report.violations,
            "\(shared.violations.difference(from: report.violations))"
        )
    }

    @Test(arguments: [Int64.max, 2])
    func `every rule holds of a ledger that is right, however the walk is shared`(records: Int64) async throws {
        let test = try await filled()
        let report = try Ledger.audit(path: test.path, sharedFrom: records)
        #expect(report.ok, "\(report.violations)")
        let examined = Dictionary(
            uniqueKeysWithValues: report.checks.map { ($0.name.prefix { $0 != " " }, $0.examined) }
        )
        #expect(examined["I5"] == 30 && examined["I6"] == 30 && examined["I7"] == 30, "\(examined)")
        #expect(examined["I11"] == 38 && examined["I14"] == 2, "\(examined)")
    }

    @Test func `the royalty of another author is found`() async throws {
        let test = try await filled()
        try await test.ledger.setRoyalty(versionID: 2, algorithm: "dan/x", author: "dan", perCall: credits("1"))
        let dan = "(SELECT id FROM account WHERE owner = 'dan')"
        try test.tamper("UPDATE transfer SET cr = \(dan) WHERE usage_seq = 4 AND code = 210")
        let details = try test.audit().violations.filter { $0.check.hasPrefix("I5") }.map(\.detail)
        #expect(details.count == 1 && details[0].hasPrefix("usage 4:"), "\(details)")
    }

    @Test func `an invocation with two usage records is found, whatever the index says`() async throws {
        let test = try await filled()
        try test.tamper(
            """
            CREATE TABLE copy AS SELECT * FROM usage; UPDATE copy SET invocation = (SELECT invocation FROM copy WHERE seq = 1)
            WHERE seq = 9; DROP TABLE usage; ALTER TABLE copy RENAME TO usage
            """
        )
        let details = try test.audit().violations.filter { $0.check.hasPrefix("I6") }.map(\.detail)
        #expect(details.count == 1 && details[0].hasSuffix("has 2 usage records"), "\(details)")
    }

    @Test func `an index that is not the table's is found`() async throws {
        let test = try await filled()
        try test.tamper(
            """
            CREATE TABLE old(seq INTEGER PRIMARY KEY, invocation BLOB NOT NULL UNIQUE);
            INSERT INTO old SELECT seq, randomblob(16) FROM usage;
            UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_old_1')
            WHERE name = 'sqlite_autoindex_usage_1'
            """
        )
        let details = try test.audit().violations.filter { $0.check.hasPrefix("I6") }.map(\.detail)
        #expect(details == ["the index of invocations is not that of the usage records"])
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
        #expect(report.ok && report.checks.count == 15, "\(report)")
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
