import Testing

@testable import Billing

/// CPU time that nobody pays for: whose it is, and where it ends.
@Suite struct AllowanceTests {
    private func record(_ outcome: Outcome, cpu: Duration, load: Duration = .zero) -> UsageRecord {
        UsageRecord(
            outcome: outcome,
            startMicroseconds: 1_795_430_000_000_000,
            wall: .seconds(1),
            cpu: cpu,
            loadCPU: load
        )
    }

    private func use(_ test: TestLedger, _ call: CallDescription, _ record: UsageRecord) async throws -> Receipt {
        let hold = try await test.ledger.admit(call)
        return try await test.ledger.settle(hold, record)
    }

    @Test(arguments: [(-1, true), (0, false), (1, false)])
    func `failures of an account are free up to its allowance, and then its calls are refused till midnight`(
        offset: Int64,
        isAdmitted: Bool
    ) async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        _ = try await use(test, call(), record(.algorithmError, cpu: .microseconds(60_000_000 + offset)))
        let result = await Result { try await test.run(call(algorithm: "carol/other")) }
        #expect(((try? result.get()) != nil) == isAdmitted)
        if !isAdmitted {
            let refusal = await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
            #expect(refusal?.kind == .failureAllowance)
            #expect(refusal?.scope == "account:alice")
            #expect(refusal?.message.contains("unpaid_cpu_seconds_day") == true)
            // Others go on, and the next day so does alice.
            try await test.fund("dora", credits: "1")
            _ = try await test.run(call("dora", algorithm: "carol/other"))
            test.unix.advance(by: CalendarWindow.microsecondsPerDay)
            _ = try await test.run(call())
        }
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `input errors are free while the allowance lasts, then paid`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        let free = try await use(test, call(), record(.inputError, cpu: .seconds(50)))
        #expect(free.charge == .zero)
        let paid = try await use(test, call(), record(.inputError, cpu: .seconds(11)))
        #expect(paid.charge == (try credits("1")))
        let within = try await use(test, call(), record(.inputError, cpu: .seconds(10)))
        #expect(within.charge == .zero)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `what loading takes of paid calls is the author's`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        _ = try await use(test, call(), record(.ok, cpu: .seconds(1), load: .seconds(599)))
        _ = try await use(test, call(), record(.ok, cpu: .seconds(1), load: .seconds(1)))
        let refusal = await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
        #expect(refusal?.scope == "author:bob")
        _ = try await test.run(call(algorithm: "carol/other"))
        // An administrator may give an author more.
        try await test.ledger.setQuota(try QuotaScope("author:bob"), .unpaidCPUDay, limit: 601, actor: "root")
        _ = try await test.run(call())
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `a fault of the platform counts for nobody`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        _ = try await use(test, call(), record(.platformFault, cpu: .seconds(5000), load: .seconds(5000)))
        _ = try await test.run(call())
    }

    @Test func `the allowance outlives a restart`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        _ = try await use(test, call(), record(.exit, cpu: .seconds(60)))
        test.ledger.close()
        let again = try TestLedger(in: test.folder)
        await #expect(throws: Refusal.self) { try await again.ledger.admit(call()) }
        let links = again.ledger.explain(account: "alice", keyID: "k1", algorithm: "bob/hello")
        let unpaid = links.first { $0.metric == .unpaidCPUDay }
        #expect(unpaid?.chain.map(\.used) == [60, 60, 60])
    }
}
