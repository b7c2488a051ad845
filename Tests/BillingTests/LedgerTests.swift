import FoundationEssentials
import Testing

@testable import Billing

@Suite struct LedgerTests {
    @Test func `a call moves compute to the platform and the royalty to author and platform`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        try await test.ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: credits("0.5"))
        let receipt = try await test.run(call(), wall: .milliseconds(250))
        #expect(receipt.compute == (try credits("0.25")))
        #expect(receipt.royalty == (try credits("0.5")))
        #expect(receipt.charge == (try credits("0.75")))
        #expect(receipt.remaining == (try credits("9.25")))
        let balance = try test.ledger.balance(of: "alice")
        #expect(balance == Balance(available: try credits("9.25"), held: .zero, spent: try credits("0.75")))
        let totals = try test.totals()
        #expect(totals == ["alice 1": 9_250_000, "bob 2": 350_000, " 3": 150_000, " 4": 250_000, " 5": -10_000_000])
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test(arguments: Outcome.allCases)
    func `every outcome is recorded and audited, and costs what table 1D says`(outcome: Outcome) async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        try await test.ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: credits("0.5"))
        let receipt = try await test.run(call(), outcome: outcome, wall: .milliseconds(100))
        let expected = PriceBook.standard.charge(
            outcome: outcome,
            wall: .milliseconds(100),
            royalty: try credits("0.5")
        )
        // The failure allowance pays for the first input errors of a day.
        #expect(receipt.charge == (outcome == .inputError ? .zero : expected.amount))
        #expect(try test.ledger.usage(limit: 10).map(\.outcome) == [outcome.name])
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `a top-up given twice is recorded once, and its reference names no other`() async throws {
        let test = try TestLedger()
        try await test.ledger.openAccount("alice")
        try await test.ledger.openAccount("carol")
        let ten = try credits("10")
        async let first = test.ledger.topUp(account: "alice", amount: ten, ref: "r1", actor: "root")
        async let second = test.ledger.topUp(account: "alice", amount: ten, ref: "r1", actor: "root")
        let third = try await test.ledger.topUp(account: "alice", amount: ten, ref: "r1", actor: "other")
        _ = try await (first, second)
        #expect(third.available == ten)
        #expect(try test.ledger.balance(of: "alice").available == ten)
        for (account, amount) in [("alice", try credits("11")), ("carol", ten)] {
            let error = await #expect(throws: LedgerError.self) {
                try await test.ledger.topUp(account: account, amount: amount, ref: "r1", actor: "root")
            }
            #expect(error?.kind == .conflict)
        }
        #expect(try test.ledger.balance(of: "carol").available == .zero)
    }

    @Test(
        arguments: [
            (1, true), (0, false), (-1, false), ((1 << 53) - 1, true), (1 << 53, false),
        ] as [(Int64, Bool)]
    )
    func `a top-up lies between one microcredit and the largest amount`(amount: Int64, ok: Bool) async throws {
        let test = try TestLedger()
        try await test.ledger.openAccount("alice")
        let result = await Result {
            try await test.ledger.topUp(account: "alice", amount: .init(rawValue: amount), ref: "r", actor: "root")
        }
        #expect((try? result.get()) != nil || !ok)
        #expect((try? result.get()) == nil || ok)
    }

    @Test(arguments: [(0, false), (1, true), (128, true), (129, false)])
    func `account names have 1 to 128 bytes`(length: Int, ok: Bool) async throws {
        let test = try TestLedger()
        let name = String(repeating: "a", count: length)
        let opened = await Result { try await test.ledger.openAccount(name) }
        #expect(((try? opened.get()) != nil) == ok)
        let reference = String(repeating: "r", count: length * 2)
        try await test.ledger.openAccount("alice")
        let paid = await Result {
            try await test.ledger.topUp(account: "alice", amount: .init(rawValue: 1), ref: reference, actor: "root")
        }
        #expect(((try? paid.get()) != nil) == (1...255).contains(length * 2))
        for bad in ["a b", "a+b", "a\n"] {
            await #expect(throws: LedgerError.self) { try await test.ledger.openAccount(bad) }
        }
    }

    @Test func `a royalty is fixed for ever`() async throws {
        let test = try TestLedger()
        try await test.ledger.setRoyalty(versionID: 7, algorithm: "bob/x", author: "bob", perCall: credits("1"))
        try await test.ledger.setRoyalty(versionID: 7, algorithm: "bob/x", author: "bob", perCall: credits("1"))
        for (author, amount) in [("bob", "2"), ("eve", "1")] {
            let error = await #expect(throws: LedgerError.self) {
                try await test.ledger.setRoyalty(
                    versionID: 7,
                    algorithm: "bob/x",
                    author: author,
                    perCall: credits(amount)
                )
            }
            #expect(error?.kind == .conflict)
        }
    }

    @Test func `time beyond the grant is the platform's`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "0.01")
        let hold = try await test.ledger.admit(call(wall: .seconds(3)))
        let (binds, granted) = (hold.ceilingBinds, hold.wallGranted)
        #expect(binds)
        #expect(granted == .milliseconds(10))
        let receipt = try await test.ledger.settle(hold, usage(.ceiling, wall: .milliseconds(14)))
        #expect(receipt.charge == (try credits("0.01")))
        #expect(receipt.remaining == .zero)
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(refusal?.kind == .credit)
        #expect(refusal?.message.contains("Top up account alice") == true)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `an invocation is charged once`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        let description = call()
        _ = try await test.run(description)
        let error = await #expect(throws: LedgerError.self) { _ = try await test.run(description) }
        #expect(error?.kind == .conflict)
        #expect(try test.ledger.balance(of: "alice").held == .zero)
        #expect(try test.ledger.usage(limit: 10).count == 1)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `usage is listed newest first, by account, up to the limit`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        try await test.fund("carol", credits: "10")
        var last = call()
        for account in ["alice", "carol", "alice", "alice"] {
            last = call(account)
            _ = try await test.run(last, wall: .milliseconds(20))
        }
        let listed = try test.ledger.usage(account: "alice", limit: 2)
        #expect(listed.count == 2)
        #expect(listed.first?.id == last.invocation.description)
        #expect(try test.ledger.usage(account: "nobody", limit: 5).isEmpty)
        #expect(try test.ledger.usage(limit: 100).count == 4)
        let one = try #require(try test.ledger.usage(id: last.invocation))
        let json = try JSONEncoder().encode(one)
        let text = String(decoding: json, as: UTF8.self)
        for part in [
            #""account":"alice""#, #""algorithm":"bob\/hello""#, #""version":"1.0.1""#, #""outcome":"ok""#,
            #""wall_us":20000"#, #""cpu_us":3000"#, #""amount_microcredits":20000"#, #""royalty_microcredits":0"#,
            #""start":"2026-11-23T10:33:20.000000Z""#,
        ] {
            #expect(
                text.contains(part) || text.replacing("\\/", with: "/").contains(part.replacing("\\/", with: "/")),
                "\(part) in \(text)"
            )
        }
    }

    @Test func `thousands of charges from many tasks are all there, once`() async throws {
        var limits = LedgerLimits()
        limits.concurrentCallsDefault = 500
        let test = try TestLedger(limits: limits)
        let accounts = ["a", "b", "c", "d"]
        for account in accounts { try await test.fund(account, credits: "100000") }
        for version in 1...3 {
            try await test.ledger.setRoyalty(
                versionID: Int64(version),
                algorithm: "bob/h\(version)",
                author: "bob\(version % 2)",
                perCall: .init(rawValue: 333)
            )
        }
        for scope in ["account:a", "algorithm:bob/h1", "account:b+algorithm:bob/h2", "key:k3"] {
            for metric in [QuotaMetric.spendDay, .spendMonth, .cpuSecondsMonth] {
                _ = try await test.ledger.setQuota(QuotaScope(scope), metric, limit: 1_000_000_000, actor: "root")
            }
        }
        var random = SeededGenerator()
        let jobs = (0..<5000).map { place in
            (accounts[place % 4], place % 3 + 1, Outcome.allCases[place % 18], random.amount(below: 20))
        }
        let spent = try await withThrowingTaskGroup(of: Int64.self) { group in
            for (account, version, outcome, wall) in jobs {
                group.addTask {
                    let description = call(
                        account,
                        key: "k\(version)",
                        algorithm: "bob/h\(version)",
                        version: Int64(version)
                    )
                    return try await test.run(description, outcome: outcome, wall: .microseconds(wall)).charge.rawValue
                }
            }
            return try await group.reduce(0, +)
        }
        let balances = try accounts.map { try test.ledger.balance(of: $0) }
        #expect(balances.reduce(0) { $0 + $1.spent.rawValue } == spent)
        #expect(balances.allSatisfy { $0.held == .zero })
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
        #expect(report.checks.contains { $0.name.hasPrefix("I7") && $0.examined == 5000 })
        #expect(report.checks.contains { $0.name.hasPrefix("I14") && $0.examined >= 12 })
    }

    @Test func `a reopened ledger goes on where it stopped`() async throws {
        let folder = try TemporaryFolder()
        for (round, prices) in [PriceBook.standard, .standard, try flat(1), try flat(1)].enumerated() {
            let test = try TestLedger(in: folder, prices: prices)
            if round == 0 {
                try await test.fund("alice", credits: "10")
                try await test.ledger.setRoyalty(
                    versionID: 1,
                    algorithm: "bob/hello",
                    author: "bob",
                    perCall: credits("1")
                )
                _ = try await test.ledger.setQuota(
                    QuotaScope("account:alice"),
                    .spendDay,
                    limit: 9_000_000,
                    actor: "root"
                )
            }
            #expect(test.ledger.priceVersion == (round < 2 ? 1 : 2))
            _ = try await test.run(call(), wall: .milliseconds(500))
            let live = try test.audit()
            #expect(live.ok, "round \(round): \(live.violations)")
            if round == 3 {
                #expect(try test.ledger.balance(of: "alice").spent == (try credits("7")))
                let explained = test.ledger.explain(account: "alice", keyID: "k1", algorithm: "bob/hello")
                let day = try #require(explained.first { $0.metric == .spendDay })
                #expect(day.binding?.used == 7_000_000)
            }
            test.ledger.close()
            let closed = try test.audit()
            #expect(closed.ok, "round \(round): \(closed.violations)")
        }
    }

    @Test func `a clock that jumps back does not turn the ledger's time back`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        test.unix.advance(by: 86_400_000_000)
        _ = try await test.run(call())
        test.unix.advance(by: -10 * 86_400_000_000)
        _ = try await test.run(call())
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `a cancelled task does not undo its charge`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        let task = Task {
            let hold = try await test.ledger.admit(call())
            withUnsafeCurrentTask { $0?.cancel() }
            return try await test.ledger.settle(hold, usage(wall: .milliseconds(5)))
        }
        let receipt = try await task.value
        #expect(receipt.charge.rawValue == 5000)
        #expect(try test.ledger.usage(limit: 5).count == 1)
    }

    @Test func `a closed ledger refuses everything and says so`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "10")
        let hold = try await test.ledger.admit(call())
        test.ledger.close()
        test.ledger.close()
        let settled = await #expect(throws: LedgerError.self) {
            let late = try await test.ledger.topUp(
                account: "alice",
                amount: .init(rawValue: 1),
                ref: "x",
                actor: "root"
            )
            Issue.record("\(late)")
        }
        #expect(settled?.kind == .closed)
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(refusal?.kind == .draining)
        #expect(throws: LedgerError.self) { try test.ledger.usage(limit: 1) }
        test.ledger.release(hold)
    }
}
