import Glibc
import SQLite
import Testing

@testable import Billing

// One after another: each fills a ledger, and the tests beside them measure time.
@Suite(.serialized) struct AuditPartTests {
    private func filled() async throws -> (TestLedger, [InvocationID]) {
        let test = try TestLedger()
        try await test.fund("alice", credits: "100")
        try await test.ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: credits("0.5"))
        var ids: [InvocationID] = []
        for place in 0..<9 {
            ids.append(
                try await test.run(call(), outcome: place == 4 ? .algorithmError : .ok, wall: .microseconds(9100))
                    .invocation
            )
        }
        return (test, ids)
    }

    private func key(_ test: TestLedger) throws -> HeadKey {
        try HeadKey(path: test.folder.file("head.key"), makingIfMissing: true)
    }

    @Test func `the key is made once, for its owner alone, and nothing else is taken for one`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("head.key")
        #expect(throws: LedgerError.self) { try HeadKey(path: path, makingIfMissing: false) }
        let made = try HeadKey(path: path, makingIfMissing: true)
        #expect(try HeadKey(path: path, makingIfMissing: true).publicKey == made.publicKey)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        truncate(path, 62)
        #expect(throws: LedgerError.self) { try HeadKey(path: path, makingIfMissing: true) }
    }

    @Test func `a head exported before is in the chain that has grown since`() async throws {
        let (test, _) = try await filled()
        let key = try key(test)
        let head = try #require(try Ledger.head(path: test.path, key: key))
        _ = try await test.run(call())
        let report = try Ledger.audit(path: test.path, AuditWish(.chain, heads: [head], trustedKey: key.publicKey))
        #expect(report.ok && report.checks.map(\.name).contains("exported heads"), "\(report)")
        let other = try HeadKey(path: test.folder.file("other.key"), makingIfMissing: true)
        let wrong = try Ledger.audit(path: test.path, AuditWish(.chain, heads: [head], trustedKey: other.publicKey))
        #expect(wrong.violations.map(\.detail).first?.contains("not by \(other.publicKey)") == true, "\(wrong)")
        let unsigned = try #require(try Ledger.head(path: test.path, key: nil))
        #expect(try Ledger.audit(path: test.path, AuditWish(.chain, heads: [unsigned])).ok)
        #expect(try !Ledger.audit(path: test.path, AuditWish(.chain, heads: [unsigned], trustedKey: key.publicKey)).ok)
    }

    @Test func `a chain whose end was cut off holds in itself, and a head exported before shows it`() async throws {
        let (test, _) = try await filled()
        let head = try #require(try Ledger.head(path: test.path, key: try key(test)))
        let last = "(SELECT max(seq) FROM block)"
        try test.tamper(
            """
            UPDATE account SET debits = debits - 510000, last_usage = last_usage - 1 WHERE owner = 'alice';
            UPDATE account SET credits = credits - 10000 WHERE kind = 4;
            UPDATE account SET credits = credits - 350000 WHERE kind = 2;
            UPDATE account SET credits = credits - 150000 WHERE kind = 3;
            DELETE FROM usage WHERE block = \(last); DELETE FROM transfer WHERE block = \(last);
            DELETE FROM block WHERE seq = \(last)
            """
        )
        let alone = try test.audit()
        #expect(alone.ok, "\(alone.violations)")
        let report = try Ledger.audit(path: test.path, AuditWish(.chain, heads: [head]))
        #expect(
            report.violations.map(\.detail) == [
                "block \(head.block) was exported, and the chain ends with block \(head.block - 1)"
            ]
        )
    }

    @Test func `another chain of the same length is not the one that was exported`() async throws {
        let (test, _) = try await filled()
        let (other, _) = try await filled()
        let head = try #require(try Ledger.head(path: test.path, key: try key(test)))
        let report = try Ledger.audit(path: other.path, AuditWish(heads: [head]))
        #expect(report.violations.count == 1 && report.checks.count == 16, "\(report)")
        #expect(report.violations[0].detail.contains("was exported with hash \(head.hash)"))
    }

    @Test func `a part of the blocks is checked without those before it`() async throws {
        let (test, _) = try await filled()
        let last = try #require(try Ledger.head(path: test.path, key: nil)).block
        try test.tamper("UPDATE usage SET compute_ucr = 1, amount_ucr = 500001 WHERE seq = 2")
        for scope in AuditWish.Scope.allCases {
            #expect(try !Ledger.audit(path: test.path, AuditWish(scope)).ok)
            let late = try Ledger.audit(path: test.path, AuditWish(scope, fromBlock: last - 3))
            #expect(late.ok && !late.checks.isEmpty, "\(scope): \(late.violations)")
            #expect(try Ledger.audit(path: test.path, AuditWish(scope, fromBlock: last + 1)).ok)
            #expect(try !Ledger.audit(path: test.path, AuditWish(scope, fromBlock: last + 2)).ok)
        }
        let names = try Ledger.audit(path: test.path, AuditWish(.rates)).checks.map { $0.name.prefix(2) }
        #expect(names == ["I7"])
    }

    @Test func `a call is explained line by line`() async throws {
        let (test, ids) = try await filled()
        let found = try #require(try Ledger.explain(path: test.path, ids[2]))
        let values = Dictionary(uniqueKeysWithValues: found.lines.map { ($0.name, $0.value) })
        let due = [
            "time run": "9100", "quantity": "10000", "compute, exact": "10000000000", "compute": "10000",
            "royalty": "500000", "to the author": "350000", "to the platform": "150000", "amount": "510000",
            "held": "1500000", "given back": "990000",
        ]
        for (name, value) in due { #expect(values[name] == value, "\(name)") }
        for line in found.lines { #expect(line.recorded == nil || line.recorded == line.value, "\(line)") }
        #expect(found.transfers.map(\.amount) == [10_000, 350_000, 150_000])
        #expect(found.transfers.map(\.to) == ["computeRevenue", "bob (authorPayable)", "platformFee"])
        #expect(found.differences.isEmpty && found.usage.account == "alice" && found.block != nil)
        let failed = try #require(try Ledger.explain(path: test.path, ids[4]))
        #expect(!failed.callerPaysCompute && failed.transfers.isEmpty && failed.differences.isEmpty)
        #expect(failed.lines.first { $0.name == "amount" }?.value == "0")
        #expect(try Ledger.explain(path: test.path, InvocationID()) == nil)
    }

    @Test(arguments: [
        ("UPDATE usage SET compute_ucr = 1, amount_ucr = 500001 WHERE seq = 3", "usage 3"),
        ("UPDATE transfer SET amount = 7 WHERE usage_seq = 3 AND code = 200", "usage 3: compute"),
        ("UPDATE usage SET bytes_in = 7 WHERE seq = 3", "its hash is not that of its rows"),
    ])
    func `a call whose records were changed is told so`(sql: String, words: String) async throws {
        let (test, ids) = try await filled()
        try test.tamper(sql)
        let found = try #require(try Ledger.explain(path: test.path, ids[2]))
        #expect(found.differences.contains { $0.contains(words) }, "\(found.differences)")
        let other = try #require(try Ledger.explain(path: test.path, ids[7]))
        #expect(other.differences.isEmpty, "\(other.differences)")
    }
}
