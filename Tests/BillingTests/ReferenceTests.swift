import Testing

@testable import Billing

/// References that name one movement of money, and no other.
@Suite struct ReferenceTests {
    private func ledger() async throws -> TestLedger {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        let grant = try credits("3")
        try await test.ledger.grant(account: "alice", amount: grant, expires: nil, ref: "grant", actor: "root")
        return test
    }

    @Test(arguments: [1_000_000, -1_000_000, -5_000_000])
    func `a correction given twice counts once, and its reference names no other amount`(amount: Int64) async throws {
        let test = try await ledger()
        let adjust = { (amount: Int64) async throws -> Balance in
            try await test.ledger.adjust(account: "alice", amount: amount, reason: "", ref: "fix", actor: "root")
        }
        let after = try await adjust(amount)
        #expect(after.available.rawValue == 13_000_000 + amount)
        // Something of the same kind right behind it.
        _ = try await test.ledger.adjust(account: "alice", amount: amount, reason: "", ref: "next", actor: "root")
        let again = try await adjust(amount)
        #expect(again.available.rawValue == 13_000_000 + 2 * amount)
        for other in [amount + 1, amount - 1, -amount] {
            let error = await #expect(throws: LedgerError.self) { _ = try await adjust(other) }
            #expect(error?.kind == .conflict, "\(other)")
        }
        #expect(try test.ledger.balance(of: "alice") == again)
    }

    @Test func `a payment is not taken for a correction of the same amount`() async throws {
        let test = try await ledger()
        try await test.ledger.adjust(account: "alice", amount: 1_000_000, reason: "", ref: "x", actor: "root")
        let one = try credits("1")
        let error = await #expect(throws: LedgerError.self) {
            try await test.ledger.topUp(account: "alice", amount: one, ref: "x", actor: "root")
        }
        #expect(error?.kind == .conflict)
    }
}
