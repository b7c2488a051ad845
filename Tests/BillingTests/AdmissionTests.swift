import Testing

@testable import Billing

@Suite(.timeLimit(.minutes(2))) struct AdmissionTests {
    /// Runs calls at once; how many succeeded, and the refusals.
    private func parallel(
        _ count: Int,
        on test: TestLedger,
        _ make: @escaping @Sendable (Int) -> CallDescription
    ) async throws -> (ok: Int, refusals: [Refusal]) {
        try await withThrowingTaskGroup(of: Refusal?.self) { group in
            for place in 0..<count {
                group.addTask {
                    let hold: Hold
                    do throws(Refusal) { hold = try await test.ledger.admit(make(place)) } catch { return error }
                    await Task.yield()
                    _ = try await test.ledger.settle(hold, usage(wall: .milliseconds(1)))
                    return nil
                }
            }
            var refusals: [Refusal] = []
            for try await refusal in group { if let refusal { refusals.append(refusal) } }
            return (count - refusals.count, refusals)
        }
    }

    @Test(arguments: [
        ("account:alice", QuotaMetric.spendDay), ("account:alice", .spendMonth), ("algorithm:Bob/Hello", .spendDay),
        ("key:k1", .spendMonth), ("account:alice+algorithm:bob/HELLO", .spendDay),
    ])
    func `of 200 parallel calls at one credit, a cap of 100 credits lets exactly 100 run`(
        scope: String,
        metric: QuotaMetric
    ) async throws {
        let test = try TestLedger(prices: flat(1))
        try await test.fund("alice", credits: "1000")
        _ = try await test.ledger.setQuota(QuotaScope(scope), metric, limit: 100_000_000, actor: "root")
        let (ok, refusals) = try await parallel(200, on: test) { _ in call() }
        #expect(ok == 100)
        #expect(refusals.count == 100 && refusals.allSatisfy { $0.kind == .spendCap && $0.metric == metric.rawValue })
        #expect(refusals.allSatisfy { $0.limit == 100_000_000 && $0.value == 100_000_000 && $0.reset != nil })
        #expect(try test.ledger.balance(of: "alice").spent == (try credits("100")))
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `of 200 parallel calls at one credit, a balance of 100 credits lets exactly 100 run`() async throws {
        let test = try TestLedger(prices: flat(1))
        try await test.fund("alice", credits: "100")
        let (ok, refusals) = try await parallel(200, on: test) { _ in call() }
        #expect(ok == 100)
        #expect(refusals.count == 100 && refusals.allSatisfy { $0.kind == .credit && $0.retryAfterSeconds == nil })
        #expect(try test.ledger.balance(of: "alice").available == .zero)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `a cap on an algorithm holds over several accounts`() async throws {
        let test = try TestLedger(prices: flat(1))
        let accounts = ["a", "b", "c"]
        for account in accounts { try await test.fund(account, credits: "1000") }
        let cap = try QuotaScope("algorithm:bob/hello")
        try await test.ledger.setQuota(cap, .spendDay, limit: 50_000_000, actor: "root")
        try await test.ledger.setQuota(cap, .concurrentCalls, limit: 3, actor: "root")
        let (ok, refusals) = try await parallel(120, on: test) { call(accounts[$0 % 3]) }
        #expect(ok == 50, "\(refusals.map(\.message).prefix(3))")
        #expect(refusals.allSatisfy { $0.kind == .spendCap && $0.scope == "algorithm:bob/hello" })
    }

    @Test func `worst cases that do not fit together run one after another`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1.5")
        let (ok, refusals) = try await parallel(20, on: test) { _ in call(wall: .seconds(1)) }
        #expect(ok == 20, "\(refusals)")
        #expect(try test.ledger.balance(of: "alice").spent == (try credits("0.02")))
    }

    @Test(arguments: [(79, false), (80, false), (81, true)])
    func `80 calls of an account run at once`(count: Int, refused: Bool) async throws {
        var limits = LedgerLimits()
        limits.concurrencyWaitMax = .milliseconds(50)
        let test = try TestLedger(limits: limits)
        try await test.fund("alice", credits: "1000")
        let holder = Holder(test.ledger)
        for _ in 0..<count - 1 { try await holder.admit(call()) }
        let last = await Result { try await holder.admit(call()) }
        guard refused else {
            _ = try last.get()
            return
        }
        let refusal = #expect(throws: Refusal.self) { try last.get() }
        #expect(refusal?.kind == .concurrency && refusal?.limit == 80 && refusal?.value == 80)
        #expect(refusal?.retryAfterSeconds == 1)
        holder.releaseOne()
        try await holder.admit(call())
    }

    @Test func `a quota replaces the 80, also upwards`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        try await test.ledger.setQuota(QuotaScope("account:alice"), .concurrentCalls, limit: 100, actor: "root")
        let holder = Holder(test.ledger)
        for _ in 0..<100 { try await holder.admit(call()) }
        #expect(test.ledger.load.admitted == 100)
        let late = await #expect(throws: Refusal.self) { try await holder.admit(call(wait: .milliseconds(20))) }
        #expect(late?.limit == 100)
        try await test.ledger.unsetQuota(QuotaScope("account:alice"), .concurrentCalls, actor: "root")
        let back = await #expect(throws: Refusal.self) { try await holder.admit(call(wait: .milliseconds(20))) }
        #expect(back?.limit == 80 && back?.value == 100)
    }

    @Test func `a call whose deadline is near waits no longer than that`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1")
        let holder = Holder(test.ledger)
        try await holder.admit(call(wall: .seconds(1)))
        let start = ContinuousClock.now
        let refusal = await #expect(throws: Refusal.self) { try await holder.admit(call(wait: .milliseconds(60))) }
        #expect(refusal?.kind == .credit)
        #expect(refusal?.message.contains("1 held for running calls") == true)
        #expect((Duration.milliseconds(55)...Duration.seconds(4)).contains(.now - start))
        let past = await #expect(throws: Refusal.self) { try await holder.admit(call(wait: .milliseconds(-1))) }
        #expect(past?.kind == .credit)
        #expect(test.ledger.load.waiting == 0)
    }

    @Test(arguments: [2, 3])
    func `so many calls of an account may wait, one more is refused at once`(count: Int) async throws {
        var limits = LedgerLimits()
        limits.waitingCallsMax = 3
        limits.concurrentCallsDefault = 1
        limits.concurrencyWaitMax = .seconds(60)
        let test = try TestLedger(limits: limits)
        try await test.fund("alice", credits: "1000")
        let holder = Holder(test.ledger)
        try await holder.admit(call())
        let waiting = (0..<count).map { _ in Task { try await holder.admit(call()) } }
        try await until { test.ledger.load.waiting == count }
        let next = Task { try await holder.admit(call()) }
        if count == 3 {
            let refusal = await #expect(throws: Refusal.self) { try await next.value }
            #expect(refusal?.kind == .queueFull && refusal?.limit == 3 && refusal?.value == 3)
        } else {
            try await until { test.ledger.load.waiting == 3 }
        }
        for task in waiting + [next] { task.cancel() }
        for task in waiting + [next] { _ = await task.result }
        #expect(test.ledger.load.waiting == 0)
    }

    @Test func `calls that wait are admitted in the order of their arrival`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        try await test.ledger.setQuota(QuotaScope("account:alice"), .concurrentCalls, limit: 1, actor: "root")
        let holder = Holder(test.ledger)
        try await holder.admit(call())
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for place in 0..<20 {
                group.addTask {
                    try await holder.admit(call())
                    order.note(place)
                    holder.releaseOne()
                }
                try await until { test.ledger.load.waiting > place }
            }
            holder.releaseOne()
            try await group.waitForAll()
        }
        #expect(order.places == Array(0..<20))
    }

    @Test func `a call blocked by its algorithm's quota does not hold up the account's other calls`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        let scope = try QuotaScope("algorithm:bob/slow")
        try await test.ledger.setQuota(scope, .concurrentCalls, limit: 1, actor: "root")
        let holder = Holder(test.ledger)
        try await holder.admit(call(algorithm: "bob/slow"))
        let blocked = Task { try await holder.admit(call(algorithm: "Bob/Slow")) }
        try await until { test.ledger.load.waiting > 0 }
        try await holder.admit(call(algorithm: "bob/fast", wait: .milliseconds(-1)))
        holder.releaseOne()
        try await blocked.value
    }

    @Test func `a caller that goes away leaves the line, and the next moves up`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "2")
        let holder = Holder(test.ledger)
        try await holder.admit(call(wall: .seconds(1)))
        let big = Task { try await holder.admit(call(wall: .seconds(2))) }
        try await until { test.ledger.load.waiting > 0 }
        let small = Task { try await holder.admit(call(wall: .seconds(1))) }
        try await until { test.ledger.load.waiting > 1 }
        big.cancel()
        await #expect(throws: Refusal.self) { try await big.value }
        try await small.value
        #expect(try test.ledger.balance(of: "alice").held == (try credits("2")))
    }

    @Test func `money that arrives lets a waiting call run`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1")
        let holder = Holder(test.ledger)
        try await holder.admit(call(wall: .seconds(1)))
        let waiting = Task { try await holder.admit(call(wall: .seconds(1))) }
        try await until { test.ledger.load.waiting > 0 }
        try await test.ledger.topUp(account: "alice", amount: credits("1"), ref: "more", actor: "root")
        try await waiting.value
    }

    @Test func `a hold that is dropped is given back`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "5")
        do {
            let hold = try await test.ledger.admit(call())
            let held = try test.ledger.balance(of: "alice").held
            #expect(held == (try credits("1")))
            _ = hold.invocation
        }
        #expect(try test.ledger.balance(of: "alice").held == .zero)
        let hold = try await test.ledger.admit(call())
        test.ledger.release(hold)
        #expect(try test.ledger.balance(of: "alice").available == (try credits("5")))
        #expect(test.ledger.load.admitted == 0)
    }

    @Test func `rate is refused at once with the time to wait, on whichever scope`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        try await test.ledger.setQuota(QuotaScope("account:alice"), .requestsPerSecond, limit: 10, actor: "root")
        try await test.ledger.setQuota(QuotaScope("key:slow"), .requestsPerSecond, limit: 2, actor: "root")
        for _ in 0..<2 { _ = try await test.run(call(key: "slow")) }
        let key = await #expect(throws: Refusal.self) { _ = try await test.run(call(key: "slow")) }
        #expect(key?.kind == .rate && key?.scope == "key:slow" && key?.limit == 2 && key?.retryAfterSeconds == 1)
        // What one scope refuses takes nothing from the others.
        for _ in 0..<8 { _ = try await test.run(call()) }
        let account = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(account?.scope == "account:alice" && account?.value == 10)
        test.monotonic.advance(by: 100_000_000)
        _ = try await test.run(call())
        await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
    }

    @Test func `CPU time is held at its worst and counted as used`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1000")
        let scope = try QuotaScope("account:alice")
        try await test.ledger.setQuota(scope, .cpuSecondsMonth, limit: 2, actor: "root")
        let hold = try await test.ledger.admit(call(cpus: 2, wall: .seconds(10)))
        let granted = hold.wallGranted
        #expect(granted == .seconds(1))
        _ = try await test.ledger.settle(hold, usage(wall: .seconds(1), cpu: .milliseconds(1999)))
        let next = try await test.ledger.admit(call(wall: .seconds(10)))
        let rest = next.wallGranted
        #expect(rest == .milliseconds(1))
        _ = try await test.ledger.settle(next, usage(.ceiling, wall: .milliseconds(2), cpu: .milliseconds(2)))
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(refusal?.kind == .cpuQuota && refusal?.limit == 2 && refusal?.value == 2)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `a day's cap begins anew at midnight UTC`() async throws {
        let midnight: Int64 = 1_795_392_000_000_000 + 86_400_000_000
        let test = try TestLedger(prices: flat(1), unix: midnight - 5_000_000)
        try await test.fund("alice", credits: "1000")
        try await test.ledger.setQuota(QuotaScope("account:alice"), .spendDay, limit: 1_000_000, actor: "root")
        _ = try await test.run(call())
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(refusal?.reset == midnight / 1_000_000 && refusal?.retryAfterSeconds == 5)
        test.unix.set(midnight - 1)
        await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        test.unix.set(midnight)
        _ = try await test.run(call())
        await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `a cap set in the middle counts what was spent and what is running`() async throws {
        let test = try TestLedger(prices: flat(1))
        try await test.fund("alice", credits: "1000")
        for _ in 0..<3 { _ = try await test.run(call()) }
        test.unix.advance(by: -5)
        let running = try await test.ledger.admit(call())
        let scope = try QuotaScope("account:alice+algorithm:BOB/hello")
        let quota = try await test.ledger.setQuota(scope, .spendDay, limit: 5_000_000, actor: "root")
        let explained = test.ledger.explain(account: "alice", keyID: "k1", algorithm: "bob/Hello")
        let day = try #require(explained.first { $0.metric == .spendDay })
        #expect(day.binding?.used == 4_000_000 && day.binding?.limit == 5_000_000)
        let fifth = try await test.ledger.admit(call())
        _ = try await test.ledger.settle(running, usage(wall: .zero))
        _ = try await test.ledger.settle(fifth, usage(wall: .zero))
        await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(try await test.ledger.setQuota(scope, .spendDay, limit: 6_000_000, actor: "root").rev > quota.rev)
        _ = try await test.run(call())
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
        #expect(try await test.ledger.unsetQuota(scope, .spendDay, actor: "root"))
        #expect(try await !test.ledger.unsetQuota(scope, .spendDay, actor: "root"))
        #expect(test.ledger.quotas().isEmpty)
        _ = try await test.run(call())
        let after = try test.audit()
        #expect(after.ok, "\(after.violations)")
    }

    @Test func `an unknown account and a limit out of range are named`() async throws {
        let test = try TestLedger()
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call("nobody")) }
        #expect(refusal?.kind == .accountUnknown)
        for (metric, limit) in [(QuotaMetric.spendDay, -1), (.spendDay, 1 << 53), (.requestsPerSecond, 1_000_001)] {
            let error = await #expect(throws: LedgerError.self) {
                try await test.ledger.setQuota(QuotaScope("account:a"), metric, limit: Int64(limit), actor: "root")
            }
            #expect(error?.kind == .invalid)
        }
    }

    @Test func `draining refuses newcomers and those who wait, and ends with the last hold`() async throws {
        let test = try TestLedger()
        try await test.fund("alice", credits: "1")
        let hold = try await test.ledger.admit(call())
        let waiting = Task { try await test.run(call()) }
        try await until { test.ledger.load.waiting > 0 }
        let drained = Task { await test.ledger.drain() }
        let refusal = await #expect(throws: Refusal.self) { try await waiting.value }
        #expect(refusal?.kind == .draining)
        await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        _ = try await test.ledger.settle(hold, usage(wall: .milliseconds(1)))
        await drained.value
        #expect(test.ledger.load.admitted == 0)
    }

    @Test(arguments: [(2, false), (3, true)])
    func `so many holds at once, one more is refused`(count: Int, refused: Bool) async throws {
        var limits = LedgerLimits()
        limits.holdsMax = 2
        let test = try TestLedger(limits: limits)
        try await test.fund("alice", credits: "100")
        let holder = Holder(test.ledger)
        var kinds: [Refusal.Kind] = []
        for _ in 0..<count {
            do { try await holder.admit(call()) } catch let refusal as Refusal { kinds.append(refusal.kind) }
        }
        #expect(kinds == (refused ? [.queueFull] : []))
    }
}
