import Testing

@testable import Billing

/// What administrators see of accounts, and how the second of two is told.
@Suite struct AdministrationTests {
    @Test(arguments: [(0, true), (1, false)])
    func `a quota that is not set is at revision 0`(rev: Int64, ok: Bool) async throws {
        let test = try TestLedger()
        let scope = try QuotaScope("account:alice")
        let result = await Result {
            try await test.ledger.setQuota(scope, .spendDay, limit: 1, ifRev: rev, actor: "root")
        }
        #expect(((try? result.get()) != nil) == ok)
        #expect(test.ledger.quotas().count == (ok ? 1 : 0))
    }

    @Test func `a quota's revision never comes back, also after it was removed and after a restart`() async throws {
        let test = try TestLedger()
        let scope = try QuotaScope("account:alice")
        var seen: [Int64] = []
        for _ in 0..<3 {
            seen.append(try await test.ledger.setQuota(scope, .spendDay, limit: 1, actor: "root").rev)
            seen.append(try await test.ledger.setQuota(scope, .spendDay, limit: 2, actor: "root").rev)
            #expect(try await test.ledger.unsetQuota(scope, .spendDay, ifRev: seen.last, actor: "root"))
        }
        test.ledger.close()
        let next = try TestLedger(in: test.folder)
        seen.append(try await next.ledger.setQuota(scope, .spendDay, limit: 3, ifRev: 0, actor: "root").rev)
        #expect(seen == seen.sorted() && Set(seen).count == 7, "\(seen)")
    }

    @Test func `the second of two administrators of a quota is told, and nothing is changed`() async throws {
        let test = try TestLedger()
        let scope = try QuotaScope("account:alice")
        let first = try await test.ledger.setQuota(scope, .concurrentCalls, limit: 5, actor: "one")
        _ = try await test.ledger.setQuota(scope, .concurrentCalls, limit: 6, ifRev: first.rev, actor: "one")
        for isRemoval in [false, true] {
            let error = await #expect(throws: LedgerError.self) {
                if isRemoval {
                    _ = try await test.ledger.unsetQuota(scope, .concurrentCalls, ifRev: first.rev, actor: "two")
                } else {
                    _ = try await test.ledger.setQuota(
                        scope,
                        .concurrentCalls,
                        limit: 7,
                        ifRev: first.rev,
                        actor: "two"
                    )
                }
            }
            #expect(error?.kind == .conflict)
            #expect(
                error?.detail.contains("revision \(first.rev + 1), not \(first.rev)") == true,
                "\(String(describing: error))"
            )
        }
        #expect(test.ledger.quotas().map(\.limit) == [6])
    }

    @Test(
        arguments: [
            ("account:a", true, true), ("account:a+algorithm:b/c", true, true), ("author:b", true, false),
            ("key:k", false, true), ("algorithm:b/c", false, true),
        ]
    )
    func `a limit that would limit nothing is refused`(scope: String, unpaid: Bool, spend: Bool) async throws {
        let test = try TestLedger()
        for (metric, ok) in [(QuotaMetric.unpaidCPUDay, unpaid), (.spendDay, spend)] {
            let result = await Result {
                try await test.ledger.setQuota(QuotaScope(scope), metric, limit: 1, actor: "root")
            }
            #expect(((try? result.get()) != nil) == ok, "\(scope) \(metric)")
        }
    }

    @Test func `a correction under a reference of another amount is a conflict, over however many grants it went`()
        async throws
    {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1")
        for ref in ["a", "b"] {
            try await test.ledger.grant(account: "alice", amount: credits("1"), expires: nil, ref: ref, actor: "root")
        }
        let adjust = { (amount: Int64, ref: String) in
            try await test.ledger.adjust(account: "alice", amount: amount, reason: "r", ref: ref, actor: "root")
                .available
                .rawValue
        }
        #expect(try await adjust(-2_500_000, "x") == 500_000)
        #expect(try await adjust(100_000, "y") == 600_000)
        #expect(try await adjust(-2_500_000, "x") == 600_000)
        for amount in [-1_000_000, -2_500_001, 2_500_000] as [Int64] {
            let error = await #expect(throws: LedgerError.self) { _ = try await adjust(amount, "x") }
            #expect(error?.kind == .conflict)
        }
        #expect(try test.ledger.balance(of: "alice").available.rawValue == 600_000)
    }

    @Test func `a grant under a reference of another priority is a conflict`() async throws {
        let test = try TestLedger()
        try await test.ledger.openAccount("alice")
        let grant = { (priority: Int64) in
            try await test.ledger.grant(
                account: "alice",
                amount: credits("1"),
                priority: priority,
                expires: nil,
                ref: "g",
                actor: "root"
            )
        }
        let first = try await grant(5)
        #expect(try await grant(5) == first)
        let error = await #expect(throws: LedgerError.self) { _ = try await grant(6) }
        #expect(error?.detail.contains("priority 5, not 6") == true)
    }

    @Test func `a closed account takes no refund and no correction`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "1")
        let receipt = try await test.run(call())
        try await test.ledger.change("alice", .overdraft(5_000_000), reason: "", actor: "root")
        try await test.ledger.change("alice", .close, reason: "", actor: "root")
        for act in [
            { try await test.ledger.refund(receipt.invocation, reason: "", actor: "root") },
            { _ = try await test.ledger.adjust(account: "alice", amount: -1, reason: "", ref: "d", actor: "root") },
            { _ = try await test.ledger.adjust(account: "alice", amount: 1, reason: "", ref: "u", actor: "root") },
        ] as [@Sendable () async throws -> Void] {
            let error = await #expect(throws: LedgerError.self) { try await act() }
            #expect(error?.detail.contains("closed") == true)
        }
        #expect(try test.ledger.account("alice").own == .zero)
    }

    @Test func `grants are listed in the order of their use, with what they were called, over many blocks`()
        async throws
    {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "1")
        try await test.ledger.openAccount("bob")
        let now = test.unix.now
        for number in 0..<20 {
            try await test.ledger.grant(
                account: number % 2 == 0 ? "alice" : "bob",
                amount: Microcredits(rawValue: Int64(number + 1)),
                priority: Int64(number / 10),
                expires: number % 4 == 0 ? now + 1_000_000 + Int64(number) : nil,
                ref: "g\(number)",
                actor: "root"
            )
        }
        let listed = try test.ledger.grants(of: "alice")
        #expect(listed.map(\.ref) == ["g0", "g4", "g8", "g2", "g6", "g12", "g16", "g10", "g14", "g18"])
        #expect(listed.map(\.given.rawValue) == [1, 5, 9, 3, 7, 13, 17, 11, 15, 19])
        #expect(try test.ledger.grant(ref: "g7")?.given.rawValue == 8)
        for ref in ["first-alice", "none", ""] { #expect(try test.ledger.grant(ref: ref) == nil) }
        test.unix.set(now + 1_000_008)
        #expect(try test.ledger.grants(of: "alice").map(\.ref) == ["g2", "g6", "g12", "g16", "g10", "g14", "g18"])
        let all = try test.ledger.grants(of: "alice", all: true)
        #expect(all.count == 10 && all.suffix(3).map(\.state) == ["ended", "ended", "ended"])
    }

    @Test func `accounts are listed by name, pages and state`() async throws {
        let test = try TestLedger()
        for name in ["carol", "alice", "bob"] { try await test.fund(name, credits: "2") }
        try await test.ledger.grant(account: "bob", amount: credits("3"), expires: nil, ref: "g", actor: "root")
        try await test.ledger.change("bob", .freeze, reason: "", actor: "root")
        #expect(try test.ledger.accounts(limit: 10).map(\.account) == ["alice", "bob", "carol"])
        #expect(try test.ledger.accounts(after: "alice", limit: 1).map(\.account) == ["bob"])
        #expect(try test.ledger.accounts(state: "frozen", limit: 10).map(\.account) == ["bob"])
        #expect(try test.ledger.accounts(state: "open", limit: 10).map(\.account) == ["alice", "carol"])
        #expect(try test.ledger.accounts(limit: 0).isEmpty)
        let bob = try test.ledger.account("bob")
        #expect(bob.state == "frozen" && bob.rev == 2 && bob.grants?.count == 1)
        #expect(bob.own.rawValue == 2_000_000 && bob.available.rawValue == 5_000_000)
        #expect(throws: LedgerError.self) { try test.ledger.account("nobody") }
    }

    @Test func `earnings are royalties less what of them was refunded`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        try await test.ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: credits("1"))
        let first = try await test.run(call())
        _ = try await test.run(call())
        try await test.ledger.refund(first.invocation, reason: "", actor: "root")
        let earnings = try test.ledger.earnings(of: "bob")
        #expect(earnings.royalties.rawValue == 1_400_000 && earnings.refunded.rawValue == 700_000)
        #expect(earnings.earned.rawValue == 700_000)
        #expect(try test.ledger.earnings(of: "alice").royalties == .zero)
    }

    @Test func `an open hold is listed while its call runs, with its age`() async throws {
        var limits = LedgerLimits()
        limits.durableHoldMin = try credits("1")
        let test = try TestLedger(prices: try flat(1), limits: limits)
        try await test.fund("alice", credits: "10")
        let call = call()
        let hold = try await test.ledger.admit(call)
        // Some microseconds more: ledger time is ahead of a clock that stands still.
        test.unix.advance(by: 600_000_100)
        for (seconds, count) in [(0, 1), (599, 1), (600, 1), (601, 0)] {
            #expect(try test.ledger.openHolds(olderThan: .seconds(seconds)).count == count, "\(seconds)")
        }
        let listed = try #require(try test.ledger.openHolds().first)
        #expect(listed.invocation == "\(call.invocation)" && listed.account == "alice" && listed.running)
        #expect(listed.amount.rawValue == 1_000_000 && listed.ageSeconds >= 599)
        _ = try await test.ledger.settle(hold, usage(wall: .milliseconds(1)))
        #expect(try test.ledger.openHolds().isEmpty)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2027-01-31T00:00:00Z", 1_801_353_600_000_000),
            ("2027-01-31t01:00:00.5+01:00", 1_801_353_600_500_000),
            ("2024-02-29T23:59:59.000001z", 1_709_251_199_000_001),
            ("2023-02-29T00:00:00Z", nil), ("1969-12-31T23:59:59Z", nil), ("2027-01-31", nil),
            ("2027-01-31T00:00:00", nil),
            ("2027-01-31T24:00:00Z", nil), ("2027-01-31T00:00:60Z", nil), ("2027-04-31T00:00:00Z", nil),
            ("2027-01-31T00:00:00.1234567Z", nil), ("2027-01-31T00:00:00.Z", nil), ("2027-01-31 00:00:00Z", nil),
            ("", nil),
            ("٢٠٢٧-01-31T00:00:00Z", nil), ("2027-01-31T00:00:00+24:00", nil),
        ] as [(String, Int64?)]
    )
    func `a moment is that of RFC 3339`(text: String, microseconds: Int64?) {
        #expect((try? RFC3339.microseconds(text, field: "expires")) == microseconds)
    }
}
