import Testing

@testable import Billing

/// Grants with priority and expiry, overdraft lines, corrections, refunds, and accounts that take no calls.
@Suite struct LotTests {
    private let day: Int64 = 86_400_000_000

    private func clean(_ test: TestLedger) throws {
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `grants are used by priority, then earlier expiry, then age, and the account's own money last`()
        async throws
    {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "10")
        let now = test.unix.now
        for (ref, priority, expires) in [
            ("late", 10, now + 3 * day), ("soon", 10, now + day), ("first", 0, now + 2 * day), ("never", 10, nil),
        ] as [(String, Int64, Int64?)] {
            try await test.ledger.grant(
                account: "alice",
                amount: credits("1"),
                priority: priority,
                expires: expires,
                ref: ref,
                actor: "root"
            )
        }
        #expect(try test.ledger.balance(of: "alice").available == (try credits("14")))
        var order: [Int64?] = []
        for _ in 0..<5 {
            _ = try await test.run(call())
            order = try test.lots("alice").map { $0.balance == 0 ? nil : $0.expires }
        }
        // first, soon, late, never, then the account's own.
        #expect(order == [nil, nil, nil, nil])
        #expect(
            try test.ledger.balance(of: "alice")
                == Balance(available: try credits("9"), held: .zero, spent: try credits("5"))
        )
        try clean(test)
    }

    @Test func `one charge may come from several grants`() async throws {
        let test = try TestLedger(prices: try flat(3))
        try await test.fund("alice", credits: "10")
        for ref in ["a", "b"] {
            try await test.ledger.grant(account: "alice", amount: credits("1"), expires: nil, ref: ref, actor: "root")
        }
        let receipt = try await test.run(call())
        #expect(receipt.remaining == (try credits("9")))
        #expect(try test.lots("alice").map(\.balance) == [0, 0])
        try clean(test)
    }

    @Test(arguments: [(-1, true), (0, false), (1, false)])
    func `a grant ends at its time`(offset: Int64, isThere: Bool) async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.ledger.openAccount("alice")
        let expires = test.unix.now + day
        try await test.ledger.grant(account: "alice", amount: credits("2"), expires: expires, ref: "g", actor: "root")
        test.unix.set(expires + offset)
        let ran = await Result { try await test.run(call()) }
        #expect(((try? ran.get()) != nil) == isThere)
        test.unix.set(expires + 1)
        try await test.ledger.tick()
        let left = try credits(isThere ? "1" : "2")
        #expect(try test.totals()[" 11"] == left.rawValue)
        #expect(try test.ledger.balance(of: "alice").available == .zero)
        #expect(try test.ledger.balance(of: "alice").spent == (isThere ? try credits("1") : .zero))
        try clean(test)
    }

    @Test func `what a running call holds of a grant does not end under it`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.ledger.openAccount("alice")
        let expires = test.unix.now + day
        try await test.ledger.grant(account: "alice", amount: credits("3"), expires: expires, ref: "g", actor: "root")
        let hold = try await test.ledger.admit(call())
        test.unix.set(expires + 1)
        try await test.ledger.tick()
        #expect(try test.totals()[" 11"] == 2_000_000)
        await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
        let receipt = try await test.ledger.settle(hold, usage(wall: .milliseconds(5)))
        #expect(receipt.charge == (try credits("1")))
        #expect(try test.ledger.balance(of: "alice").available == .zero)
        try clean(test)
    }

    @Test func `a clock that goes back does not bring a grant back`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.ledger.openAccount("alice")
        let start = test.unix.now
        try await test.ledger.grant(
            account: "alice",
            amount: credits("3"),
            expires: start + day,
            ref: "g",
            actor: "root"
        )
        test.unix.set(start + 2 * day)
        try await test.ledger.tick()
        test.unix.set(start)
        await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
        try clean(test)
    }

    @Test(arguments: [
        (0, false), (1, true), (Microcredits.maximum.rawValue, true), (Microcredits.maximum.rawValue + 1, false),
    ])
    func `a grant lies between one microcredit and the largest amount`(amount: Int64, ok: Bool) async throws {
        let test = try TestLedger()
        try await test.ledger.openAccount("alice")
        let result = await Result {
            try await test.ledger.grant(
                account: "alice",
                amount: Microcredits(rawValue: amount),
                expires: nil,
                ref: "g",
                actor: "root"
            )
        }
        #expect(((try? result.get()) != nil) == ok)
    }

    @Test(arguments: [(-1, false), (0, true), (99, true), (100, false)])
    func `a priority lies between 0 and 99`(priority: Int64, ok: Bool) async throws {
        let test = try TestLedger()
        try await test.ledger.openAccount("alice")
        let result = await Result {
            try await test.ledger.grant(
                account: "alice",
                amount: try credits("1"),
                priority: priority,
                expires: nil,
                ref: "g",
                actor: "root"
            )
        }
        #expect(((try? result.get()) != nil) == ok)
    }

    @Test func `an overdraft line is spent to its end and no further, and cannot be cut below what is owed`()
        async throws
    {
        let test = try TestLedger(prices: try flat(1))
        try await test.ledger.openAccount("alice")
        await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
        let rev = try await test.ledger.change("alice", .overdraft(2_000_000), reason: "known", actor: "root")
        #expect(rev == 2)
        for _ in 0..<2 { _ = try await test.run(call()) }
        await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
        let error = await #expect(throws: LedgerError.self) {
            try await test.ledger.change("alice", .overdraft(1_999_999), reason: "", actor: "root")
        }
        #expect(error?.detail.contains("owes 2 credits") == true)
        try await test.ledger.change("alice", .overdraft(2_000_000), ifRev: 2, reason: "", actor: "root")
        try clean(test)
    }

    @Test func `two administrators at once: the second is told`() async throws {
        let test = try TestLedger()
        try await test.ledger.openAccount("alice")
        #expect(try await test.ledger.change("alice", .freeze, ifRev: 1, reason: "audit", actor: "one") == 2)
        let error = await #expect(throws: LedgerError.self) {
            try await test.ledger.change("alice", .overdraft(5), ifRev: 1, reason: "", actor: "two")
        }
        #expect(error?.kind == .conflict)
        #expect(error?.detail.contains("revision 2, not 1") == true)
    }

    @Test func `a frozen account makes no calls, and a closed one never again`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "3")
        let hold = try await test.ledger.admit(call())
        try await test.ledger.change("alice", .freeze, reason: "", actor: "root")
        let refusal = await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
        #expect(refusal?.kind == .accountFrozen)
        _ = try await test.ledger.settle(hold, usage(wall: .milliseconds(1)))
        try await test.ledger.change("alice", .unfreeze, reason: "", actor: "root")
        _ = try await test.run(call())
        let open = await #expect(throws: LedgerError.self) {
            try await test.ledger.change("alice", .close, reason: "", actor: "root")
        }
        #expect(open?.detail.contains("has 1 credits") == true)
        try await test.ledger.adjust(account: "alice", amount: -1_000_000, reason: "paid out", ref: "c", actor: "root")
        try await test.ledger.change("alice", .close, reason: "", actor: "root")
        let closed = await #expect(throws: Refusal.self) { try await test.ledger.admit(call()) }
        #expect(closed?.kind == .accountClosed)
        await #expect(throws: LedgerError.self) {
            try await test.ledger.topUp(account: "alice", amount: credits("1"), ref: "again", actor: "root")
        }
        try clean(test)
    }

    @Test func `a correction takes what nobody holds and not a microcredit more`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "3")
        let hold = try await test.ledger.admit(call())
        for (amount, ok) in [(-2_000_001, false), (-2_000_000, true), (-1, false)] as [(Int64, Bool)] {
            let result = await Result {
                try await test.ledger.adjust(
                    account: "alice",
                    amount: amount,
                    reason: "wrong",
                    ref: "a\(amount)",
                    actor: "root"
                )
            }
            #expect(((try? result.get()) != nil) == ok, "\(amount)")
        }
        _ = try await test.ledger.settle(hold, usage(wall: .milliseconds(1)))
        #expect(try test.ledger.balance(of: "alice").available == .zero)
        try await test.ledger.adjust(account: "alice", amount: 5, reason: "made good", ref: "b", actor: "root")
        try await test.ledger.adjust(account: "alice", amount: 5, reason: "made good", ref: "b", actor: "root")
        #expect(try test.ledger.balance(of: "alice").available.rawValue == 5)
        try clean(test)
    }

    @Test func `a refund swaps every leg of a charge, once`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        try await test.ledger.grant(account: "alice", amount: credits("0.1"), expires: nil, ref: "g", actor: "root")
        try await test.ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: credits("0.5"))
        let receipt = try await test.run(call(), wall: .milliseconds(250))
        try await test.ledger.refund(receipt.invocation, reason: "our fault", actor: "root")
        #expect(try test.ledger.balance(of: "alice").available == (try credits("10.1")))
        #expect(try test.totals()["bob 2"] == nil)
        let again = await #expect(throws: LedgerError.self) {
            try await test.ledger.refund(receipt.invocation, reason: "again", actor: "root")
        }
        #expect(again?.kind == .conflict)
        let unknown = await #expect(throws: LedgerError.self) {
            try await test.ledger.refund(InvocationID(), reason: "", actor: "root")
        }
        #expect(unknown?.kind == .notFound)
        try clean(test)
    }
}
