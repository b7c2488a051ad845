import Testing

@testable import Billing

/// Overdraft lines that change while calls run and money moves.
@Suite(.timeLimit(.minutes(1))) struct OverdraftTests {
    @Test func `a line is not lowered below what running calls hold of it`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.ledger.openAccount("alice")
        try await test.ledger.change("alice", .overdraft(2_000_000), reason: "", actor: "root")
        let hold = try await test.ledger.admit(call())
        let error = await #expect(throws: LedgerError.self) {
            try await test.ledger.change("alice", .overdraft(999_999), reason: "", actor: "root")
        }
        #expect(error?.kind == .invalid)
        #expect(try test.ledger.balance(of: "alice").available == (try credits("1")))
        try await test.ledger.change("alice", .overdraft(1_000_000), reason: "", actor: "root")
        #expect(try test.ledger.balance(of: "alice").available == .zero)
        let receipt = try await test.ledger.settle(hold, usage(wall: .milliseconds(5)))
        #expect(receipt.charge == (try credits("1")))
        #expect(receipt.remaining == .zero)
        #expect(test.poisonings.isEmpty)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `a line is lowered in the commit that brings the money which allows it`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.ledger.openAccount("alice")
        try await test.ledger.change("alice", .overdraft(1_000_000), reason: "", actor: "root")
        _ = try await test.run(call())
        // In one batch by chance only: many tries of both at once, of which some fall together.
        for number in 0..<200 {
            async let paid = test.ledger.topUp(account: "alice", amount: credits("1"), ref: "\(number)", actor: "root")
            async let lowered = Result {
                try await test.ledger.change("alice", .overdraft(0), reason: "", actor: "root")
            }
            _ = try await paid
            _ = await lowered
            try await test.ledger.change("alice", .overdraft(1_000_000), reason: "", actor: "root")
            _ = try await test.run(call())
        }
        #expect(test.poisonings.isEmpty, "\(test.poisonings)")
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }
}
