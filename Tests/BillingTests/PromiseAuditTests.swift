import Testing

@testable import Billing

/// The audit of holds on disk, idempotency keys, reversals and lists: each thing changed by hand is found, by its rule.
@Suite struct PromiseAuditTests {
    private func ledger() async throws -> TestLedger {
        var limits = LedgerLimits()
        limits.durableHoldMin = Microcredits(rawValue: 1)
        let test = try TestLedger(prices: try flat(1), limits: limits)
        try await test.fund("alice", credits: "100")
        try await test.ledger.grant(account: "alice", amount: credits("2"), expires: nil, ref: "g", actor: "root")
        for _ in 0..<4 { _ = try await test.run(call()) }
        let given = try await test.ledger.admit(call())
        test.ledger.release(given)
        let request = [UInt8](repeating: 1, count: 32)
        guard case .claimed(let claim) = try test.ledger.claim(key: "k", request: request, account: "alice") else {
            return test
        }
        let hold = try await test.ledger.admit(call())
        let answer = KeptAnswer(claim: claim, status: 0, response: [1])
        let receipt = try await test.ledger.settle(hold, usage(wall: .milliseconds(1)), keeping: answer)
        try await test.ledger.refund(receipt.invocation, reason: "test", actor: "root")
        _ = try await test.run(call(), outcome: .algorithmError)
        return test
    }

    @Test func `what nobody changed is right`() async throws {
        let report = try await ledger().audit()
        #expect(report.ok, "\(report.violations)")
        #expect(
            report.checks.filter { ["I4", "I9", "I12"].contains($0.name.prefix { $0 != " " }) }.allSatisfy {
                $0.examined > 0
            }
        )
    }

    @Test(arguments: [
        ("UPDATE hold SET state = 0, epoch = 0 WHERE id = 1", "I4"), ("UPDATE hold SET amount = 7 WHERE id = 2", "I4"),
        ("UPDATE hold SET state = 2 WHERE id = 1", "I4"), ("UPDATE hold SET invocation = x'00' WHERE id = 1", "I4"),
        ("UPDATE idem SET invocation = x'00'", "I12"), ("UPDATE idem SET account = 1", "I12"),
        ("UPDATE transfer SET reverses = 1 WHERE reverses IS NOT NULL", "I9"),
        ("UPDATE transfer SET reverses = NULL WHERE reverses IS NOT NULL", "I9"),
        ("UPDATE account SET uncharged = 1 WHERE owner = 'alice' AND kind = 1", "I2"),
        ("UPDATE account SET owner = 'carol' WHERE kind = 12", "foreign"),
        ("UPDATE usage SET prev = NULL WHERE seq = 3", "I2"), ("UPDATE usage SET prev = 1 WHERE seq = 3", "I2"),
        ("UPDATE account SET last_usage = 2 WHERE owner = 'alice' AND kind = 1", "I2"),
        ("UPDATE usage SET absorbed = 1 WHERE seq = 2", "I7"),
        ("UPDATE usage SET load_cpu_us = 5 WHERE seq = 2", "I14"),
        ("UPDATE usage SET replay_of = x'0011' WHERE seq = 2", "I7"),
        ("UPDATE account SET parent = NULL, kind = 2 WHERE kind = 12", "I5"),
        ("UPDATE quota_used SET used = used + 1 WHERE metric = 'unpaid_cpu_seconds_day'", "I14"),
    ])
    func `what somebody changed is found`(change: String, rule: String) async throws {
        let test = try await ledger()
        let monitor = LedgerMonitor(path: test.path)
        #expect(try monitor.pass().report.ok)
        try test.tamper(change)
        if !["I9", "I12"].contains(rule) { #expect(try !monitor.pass().report.ok, "the next pass finds it too") }
        let report = try test.audit()
        let found = report.checks.filter { !$0.ok }.map { $0.name.prefix { $0 != " " } }
        #expect(found.contains { $0 == rule }, "\(found): \(report.violations)")
    }
}
