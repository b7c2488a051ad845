import SQLite
import Testing

@testable import Billing

/// Holds that are on disk before their call starts, and what becomes of them.
@Suite struct DurableHoldTests {
    private func ledger(in folder: TemporaryFolder? = nil, min: Int64) throws -> TestLedger {
        var limits = LedgerLimits()
        limits.durableHoldMin = Microcredits(rawValue: min)
        limits.concurrentCallsDefault = 1_000_000
        return try TestLedger(in: folder, prices: try flat(1), limits: limits)
    }

    private func states(_ test: TestLedger) throws -> [Int64: Int64] {
        let connection = try Connection(path: test.path, access: .readOnly)
        let rows = try connection.query("SELECT state, count(*) FROM hold GROUP BY state") {
            (row) throws(SQLiteError) in (row.int64(0), row.int64(1))
        }
        return Dictionary(rows) { first, _ in first }
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func `worst cases from a bound on are held durably`(offset: Int64, isDurable: Bool) async throws {
        let test = try ledger(min: 1_000_000 + offset)
        try await test.fund("alice", credits: "10")
        let hold = try await test.ledger.admit(call())
        #expect(try states(test) == (isDurable ? [0: 1] : [:]))
        _ = try await test.ledger.settle(hold, usage(wall: .milliseconds(1)))
        #expect(try states(test) == (isDurable ? [1: 1] : [:]))
        let other = try await test.ledger.admit(call())
        test.ledger.release(other)
        try await test.ledger.tick()
        #expect(try states(test) == (isDurable ? [1: 1, 2: 1] : [:]))
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `what a dead daemon held is given back, and each call is recorded as the platform's fault`() async throws
    {
        let test = try ledger(min: 1)
        try await test.fund("alice", credits: "10000")
        let holder = Holder(test.ledger)
        for _ in 0..<1000 { try await holder.admit(call()) }
        let copy = try TemporaryFolder()
        for name in ["ledger.db", "ledger.db-wal"] { try copyFile(test.folder.file(name), copy.file(name)) }
        let clock = ContinuousClock()
        let began = clock.now
        let again = try ledger(in: copy, min: 1)
        print("1000 open holds recovered in \(clock.now - began)")
        #expect(try states(again) == [2: 1000])
        #expect(
            try again.ledger.balance(of: "alice") == Balance(available: try credits("10000"), held: .zero, spent: .zero)
        )
        let listed = try again.ledger.usage(account: "alice", limit: 1000)
        #expect(listed.count == 1000)
        #expect(listed.allSatisfy { $0.outcome == "platform-fault" && $0.amountMicrocredits == 0 })
        let report = try again.audit()
        #expect(report.ok, "\(report.violations)")
        // A third run finds nothing left to do.
        again.ledger.close()
        let third = try ledger(in: copy, min: 1)
        #expect(try third.ledger.usage(limit: 1000).count == 1000)
        #expect(try third.audit().ok)
    }

    @Test func `a hold whose invocation has been charged otherwise does not keep the ledger from opening`() async throws
    {
        // No caller of the ledger does that; if one did, the audit should say so, and not the start of the daemon.
        var limits = LedgerLimits()
        limits.durableHoldMin = Microcredits(rawValue: 2_000_000)
        let test = try TestLedger(limits: limits)
        try await test.fund("alice", credits: "100")
        let long = call(wall: .seconds(3))
        let holder = Holder(test.ledger)
        try await holder.admit(long)
        let short = CallDescription(
            invocation: long.invocation,
            account: "alice",
            keyID: "k1",
            algorithm: "bob/hello",
            versionID: 1,
            version: "1.0.1",
            cpus: 1,
            wallLimit: .milliseconds(1),
            deadline: .now + .seconds(1)
        )
        _ = try await test.run(short)
        let copy = try TemporaryFolder()
        for name in ["ledger.db", "ledger.db-wal"] { try copyFile(test.folder.file(name), copy.file(name)) }
        #expect(try states(test) == [0: 1])
        let again = try TestLedger(in: copy, limits: limits)
        #expect(try again.ledger.usage(limit: 10).count == 1)
        #expect(try states(again) == [1: 1])
        let report = try again.audit()
        #expect(report.violations.count == 1, "\(report.violations)")
        #expect(report.violations.first?.detail.hasPrefix("hold 1:") == true, "\(report.violations)")
    }
}
