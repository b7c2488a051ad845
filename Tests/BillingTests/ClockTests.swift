import SQLite
import Testing

@testable import Billing

/// Clocks that jump: what a window counts, and what the ledger calls time.
@Suite(.timeLimit(.minutes(1))) struct ClockTests {
    private static let day: Int64 = 86_400_000_000
    private static let year: Int64 = 365 * day

    /// Nothing of time in the file goes back, and none of its durations is negative.
    private func checkTimes(_ test: TestLedger) throws {
        let connection = try Connection(path: test.path, access: .readOnly)
        let times = try connection.query("SELECT ts_us FROM block ORDER BY seq") {
            (row) throws(SQLiteError) in row.int64(0)
        }
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, "\(times)")
        let negative = try connection.query(
            """
            SELECT count(*) FROM usage WHERE wall_us < 0 OR cpu_us < 0 OR queue_us < 0 OR load_us < 0
            OR billed_wall_us < 0 OR billed_cpu_us < 0 OR granted_us < 0 OR hold_ucr < 0 OR amount_ucr < 0
            """
        ) { (row) throws(SQLiteError) in row.int64(0) }
        #expect(negative == [0])
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test(arguments: [-day, -1, 0, 1, day, 10 * year, -10 * year, 31 * day, -31 * day])
    func `whatever the clock does, time in the ledger goes forwards and the books are right`(jump: Int64) async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        for metric in [QuotaMetric.spendDay, .spendMonth, .cpuSecondsMonth] {
            try await test.ledger.setQuota(QuotaScope("account:alice"), metric, limit: 1_000_000_000, actor: "test")
        }
        for _ in 0..<3 {
            _ = try await test.run(call())
            // While it runs, too: the hold is of before the jump.
            let hold = try await test.ledger.admit(call())
            test.unix.advance(by: jump)
            _ = try await test.ledger.settle(hold, usage(wall: .milliseconds(5)))
        }
        try checkTimes(test)
        test.ledger.close()
        let again = try TestLedger(in: test.folder, unix: test.unix.now - Self.day)
        _ = try await again.run(call())
        #expect(try again.ledger.balance(of: "alice").spent == (try credits("0.035")))
        try checkTimes(again)
    }

    @Test(arguments: [1_796_083_200, 1_798_761_600, 1_835_395_200, 1_835_481_600, 4_107_542_400])
    func `what is spent up to the last microsecond of a day counts to it, and the next begins with nothing`(
        midnight: Int64
    ) async throws {
        let isMonth = midnight != 1_835_395_200  // The 29th of February 2028.
        let scope = try QuotaScope("account:alice")
        let test = try TestLedger(prices: flat(1), unix: midnight * 1_000_000 - 2 * Self.day)
        try await test.fund("alice", credits: "100")
        try await test.ledger.setQuota(scope, .spendDay, limit: 1_000_000, actor: "test")
        try await test.ledger.setQuota(scope, .spendMonth, limit: 3_000_000, actor: "test")
        test.unix.set(midnight * 1_000_000 - 1_000)
        _ = try await test.run(call())
        test.unix.set(midnight * 1_000_000 - 1)
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(refusal?.metric == "spend_day_microcredits")
        #expect(refusal?.reset == midnight)
        #expect(refusal?.retryAfterSeconds == 1)
        test.unix.set(midnight * 1_000_000)
        _ = try await test.run(call())
        test.unix.set(midnight * 1_000_000 + Self.day)
        let links = test.ledger.explain(account: "alice", keyID: "k1", algorithm: "bob/hello").compactMap(\.binding)
        let month = links.first { $0.scope == scope.text && $0.limit == 3_000_000 }
        #expect(month?.used == (isMonth ? 1_000_000 : 0), "\(midnight)")
        try checkTimes(test)
    }

    @Test func `a clock that is put back opens no used-up day again, and every wait it names is of this time`()
        async throws
    {
        let test = try TestLedger(prices: flat(1))
        try await test.fund("alice", credits: "100")
        try await test.ledger.setQuota(QuotaScope("account:alice"), .spendDay, limit: 1_000_000, actor: "test")
        _ = try await test.run(call())
        for jump in [-Self.day, -10 * Self.year, Self.day / 1000] {
            test.unix.advance(by: jump)
            let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
            #expect(refusal?.kind == .spendCap)
            #expect((1...86_400).contains(refusal?.retryAfterSeconds ?? 0), "\(String(describing: refusal))")
        }
        try checkTimes(test)
    }

    @Test func `a measured time below nothing counts as nothing`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        var strange = usage(wall: .seconds(-5), cpu: .seconds(-5))
        strange.queue = .seconds(-1)
        strange.load = .nanoseconds(-1)
        let receipt = try await test.ledger.settle(test.ledger.admit(call()), strange)
        #expect(receipt.charge == .zero)
        try checkTimes(test)
    }
}
