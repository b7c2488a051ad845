import Testing

@testable import Billing

@Suite struct RateLimiterTests {
    /// The same rule in other words: tokens in billionths, refilled by elapsed time.
    private struct TokenBucket {
        let limit: Int128
        let cost: Int128
        var tokens: Int128
        var last: Int64 = 0

        init(limit: Int64) {
            // A call costs the interval; the bucket holds `limit` of them and gains a nanosecond each nanosecond.
            self.limit = Int128(limit)
            cost = Int128(1_000_000_000 / limit)
            tokens = self.limit * cost
        }

        mutating func take(at now: Int64) -> Bool {
            tokens = min(limit * cost, tokens + Int128(now - last))
            last = now
            guard tokens >= cost else { return false }
            tokens -= cost
            return true
        }
    }

    @Test func `it decides as a token bucket does`() {
        var random = SeededGenerator()
        for _ in 0..<50 {
            let limit = max(1, random.amount(below: 12))
            var (limiter, bucket, now) = (RateLimiter(limit: limit), TokenBucket(limit: limit), Int64(0))
            for _ in 0..<4000 {
                now += random.amount(below: 31) / limit
                let allowed = limiter.wait(at: now) == 0
                if allowed { limiter.take(at: now) }
                #expect(allowed == bucket.take(at: now), "limit \(limit) at \(now)")
            }
        }
    }

    @Test(arguments: [1, 2, 50, 1000] as [Int64])
    func `a burst of one second passes, the next call must wait for one interval`(limit: Int64) {
        var limiter = RateLimiter(limit: limit)
        for _ in 0..<limit {
            #expect(limiter.wait(at: 0) == 0)
            limiter.take(at: 0)
        }
        #expect(limiter.wait(at: 0) == 1_000_000_000 / limit)
        #expect(limiter.used(at: 0) == limit)
        #expect(limiter.wait(at: 1_000_000_000 / limit) == 0)
        #expect(limiter.used(at: 1_000_000_000) == 0)
    }

    @Test func `a limit of zero lets nothing pass, ever`() {
        #expect(RateLimiter(limit: 0).wait(at: 5) == nil)
    }
}

@Suite struct CalendarWindowTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_795_430_000_000_001, "2026-11-23T10:33:20.000001Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        ] as [(Int64, String)]
    )
    func `moments are printed in UTC`(microseconds: Int64, text: String) {
        #expect(iso8601(microseconds: microseconds) == text)
    }

    @Test func `every day is read back, and months begin on the first`() {
        for day in stride(from: Int64(-200_000), through: 200_000, by: 1) {
            let date = CivilDate(daysSinceEpoch: day)
            #expect(date.daysSinceEpoch == day)
            let month = CalendarWindow.month.index(at: day * CalendarWindow.microsecondsPerDay)
            let start = CalendarWindow.month.start(of: month) / CalendarWindow.microsecondsPerDay
            #expect(start == day - date.day + 1, "\(date)")
        }
    }

    @Test(arguments: [CalendarWindow.day, .month])
    func `a window holds its first microsecond and not the next window's`(window: CalendarWindow) {
        let index = window.index(at: 1_795_430_000_000_000)
        let (start, end) = (window.start(of: index), window.start(of: index + 1))
        #expect(window.index(at: start - 1) == index - 1)
        #expect(window.index(at: start) == index)
        #expect(window.index(at: end - 1) == index)
        #expect(window.index(at: end) == index + 1)
        #expect(window.resetSeconds(at: start) == end / 1_000_000)
    }
}

@Suite struct QuotaScopeTests {
    @Test(arguments: [
        ("account:alice", "account:alice"), ("key:K1", "key:K1"), ("algorithm:Bob/Hello", "algorithm:bob/hello"),
        ("account:Alice+algorithm:Bob/Hello", "account:Alice+algorithm:bob/hello"),
    ])
    func `scopes have one form`(text: String, canonical: String) throws {
        #expect(try QuotaScope(text).text == canonical)
    }

    @Test(arguments: [
        "", "account", "account:", "user:x", "algorithm:bob", "algorithm:bob/", "algorithm:a/b/c", "account:a b",
        "algorithm:a/b+account:x", "account:a+key:b", "account:a+algorithm:b/c+key:d", "account:a+",
        "account:\(String(repeating: "a", count: 505))",
    ])
    func `other texts are refused`(text: String) {
        #expect(throws: BillingError.self) { try QuotaScope(text) }
    }

    @Test func `a call matches four scopes`() throws {
        let scopes = QuotaScope.matching(account: "Alice", keyID: "k", algorithm: "Bob/Hello")
        #expect(scopes == ["account:Alice", "key:k", "algorithm:bob/hello", "account:Alice+algorithm:bob/hello"])
        for scope in scopes { #expect(try QuotaScope(scope).text == scope) }
    }
}

@Suite struct DecisionTests {
    /// One credit a second by the millisecond, a royalty of 100 µcr, 2 CPUs.
    private let cost = CostModel(prices: .standard, royalty: 100, cpus: 2)

    private func credit(limit: Int64, captured: Int64 = 0, held: Int64 = 0) -> Budget {
        Budget(metric: nil, scope: "account:a", limit: limit, captured: captured, held: held)
    }

    private func cpu(limit: Int64, captured: Int64 = 0, held: Int64 = 0) -> Budget {
        Budget(metric: .cpuSecondsMonth, scope: "account:a", limit: limit, captured: captured, held: held)
    }

    @Test(
        arguments: [
            // 5 ms cost 5,100 µcr
            (5100, BudgetVerdict.grant(wall: 5000, ceiling: false)), (5099, .grant(wall: 4000, ceiling: true)),
            (1100, .grant(wall: 1000, ceiling: true)),
        ] as [(Int64, BudgetVerdict)]
    )
    func `what is free decides; nobody holds anything, so the run is shortened`(limit: Int64, verdict: BudgetVerdict) {
        #expect(decide(budgets: [credit(limit: limit)], cost: cost, wall: 5000) == verdict)
        #expect(decide(budgets: [credit(limit: limit + 77, captured: 77)], cost: cost, wall: 5000) == verdict)
    }

    @Test func `less than royalty and one increment is refused`() {
        let budget = credit(limit: 1099)
        #expect(decide(budgets: [budget], cost: cost, wall: 5000) == .refuse(budget, needed: 1100))
        let held = credit(limit: 5000, captured: 3901, held: 1099)
        #expect(decide(budgets: [held], cost: cost, wall: 5000) == .refuse(held, needed: 1100))
    }

    @Test func `what others hold is waited for, even if a shorter run would fit`() {
        let budget = credit(limit: 10_000, held: 5000)
        #expect(decide(budgets: [budget], cost: cost, wall: 5000) == .wait(budget))
        let enough = credit(limit: 10_100, held: 5000)
        #expect(decide(budgets: [enough], cost: cost, wall: 5000) == .grant(wall: 5000, ceiling: false))
    }

    @Test func `the tightest budget shortens the run`() {
        let budgets = [credit(limit: 4100), cpu(limit: 6000)]
        #expect(decide(budgets: budgets, cost: cost, wall: 5000) == .grant(wall: 3000, ceiling: true))
        let small = cpu(limit: 1999)
        #expect(decide(budgets: [credit(limit: 4100), small], cost: cost, wall: 5000) == .refuse(small, needed: 2000))
    }

    @Test func `a grant always fits every budget, and is whole increments when shortened`() {
        var random = SeededGenerator()
        for _ in 0..<20_000 {
            let budgets = (0..<Int.random(in: 1...4, using: &random)).map { place in
                let limit = random.amount(below: 30)
                let captured = min(limit, random.amount(below: 20))
                let held = Bool.random(using: &random) ? 0 : min(limit - captured, random.amount(below: 20))
                return place == 1
                    ? cpu(limit: limit, captured: captured, held: held)
                    : credit(limit: limit, captured: captured, held: held)
            }
            let wall = random.amount(below: 30)
            guard case .grant(let granted, let ceiling) = decide(budgets: budgets, cost: cost, wall: wall) else {
                continue
            }
            #expect(granted <= wall && ceiling == (granted < wall), "\(budgets) \(wall)")
            #expect(granted == wall || granted % 1000 == 0)
            for budget in budgets {
                #expect(cost.need(budget, wall: granted) <= budget.available, "\(budget) \(wall) \(granted)")
            }
        }
    }
}
