import Foundation
import Testing

@testable import Invoker

extension PoolState {
    /// One that calls for itself, and has all the time there is.
    fileprivate mutating func lease(_ key: PoolKey, now: UInt64 = 0) -> Decision {
        lease(key, by: key.account, secondsLeft: 1e6, now: now)
    }
}

@Suite struct PoolStateTests {
    private let a = PoolKey(versionID: 1, account: "anna")
    private let b = PoolKey(versionID: 1, account: "bob")
    private let c = PoolKey(versionID: 2, account: "anna")

    private func bounds(_ seats: Int, _ perKey: Int, perAccount: Int = .max, waiters: Int) -> PoolBounds {
        var bounds = PoolBounds(seatsMax: seats, seatsPerKeyMax: perKey, waitersMax: waiters)
        bounds.seatsPerAccountMax = perAccount
        bounds.idleNanoseconds = 50...50
        return bounds
    }

    @Test func `an idle worker of the same key is reused, the latest first`() {
        var pool = PoolState(bounds(4, 4, waiters: 4))
        let first = [pool.lease(a), pool.lease(a)]
        #expect(first == [.granted(.start(evicting: nil)), .granted(.start(evicting: nil))])
        _ = pool.giveBack(10, a, now: 1)
        _ = pool.giveBack(11, a, now: 2)
        let then = [pool.lease(a), pool.lease(a)]
        #expect(then == [.granted(.reuse(11)), .granted(.reuse(10))])
    }

    @Test func `a worker of one account never serves another`() {
        var pool = PoolState(bounds(4, 4, waiters: 4))
        _ = pool.lease(a)
        _ = pool.giveBack(1, a, now: 1)
        let other = pool.lease(b)
        #expect(other == .granted(.start(evicting: nil)))
    }

    @Test func `a full pool retires the least recently used worker for another key`() {
        var pool = PoolState(bounds(2, 2, waiters: 4))
        _ = pool.lease(a)
        _ = pool.lease(b)
        _ = pool.giveBack(1, a, now: 1)
        _ = pool.giveBack(2, b, now: 2)
        let third = pool.lease(c)
        #expect(third == .granted(.start(evicting: 1)))
        #expect(pool.seatsTaken == 2)
    }

    @Test(arguments: [(1, 1), (3, 3), (5, 3)])
    func `seats of one key are bounded`(asked: Int, granted: Int) {
        var pool = PoolState(bounds(10, 3, waiters: 10))
        let decisions = (0..<asked).map { _ in pool.lease(a) }
        #expect(decisions.filter { $0 == .granted(.start(evicting: nil)) }.count == granted)
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 2)])
    func `seats of one account are bounded over all its versions`(asked: Int, granted: Int) {
        var pool = PoolState(bounds(10, 1, perAccount: 2, waiters: 10))
        let decisions = (0..<asked).map { pool.lease(PoolKey(versionID: Int64($0), account: "anna")) }
        #expect(decisions.filter { $0 == .granted(.start(evicting: nil)) }.count == granted)
        let other = pool.lease(b)
        #expect(other == .granted(.start(evicting: nil)))
    }

    @Test func `at its bound an account's own oldest worker gives way`() {
        var pool = PoolState(bounds(10, 2, perAccount: 1, waiters: 10))
        _ = pool.lease(b)
        _ = pool.giveBack(1, b, now: 1)
        _ = pool.lease(a)
        _ = pool.giveBack(2, a, now: 2)
        let next = pool.lease(c)
        #expect(next == .granted(.start(evicting: 2)))
        #expect(pool.hasSeats(version: 2) && pool.hasSeats(version: 1) && !pool.hasSeats(version: 3))
    }

    @Test func `the longest waiter gets the seat of a worker that died`() {
        var pool = PoolState(bounds(1, 1, waiters: 4))
        _ = pool.lease(a)
        let waits = [pool.lease(b), pool.lease(a)]
        #expect(waits == [.wait(ticket: 1, position: 1, isHeld: false), .wait(ticket: 2, position: 1, isHeld: false)])
        let served = pool.vacate(a, now: 1)
        #expect(served.count == 1 && served[0].ticket == 1 && served[0].grant == .start(evicting: nil))
    }

    @Test func `a worker that is given back goes to a waiter of its key, or makes room for another`() {
        var pool = PoolState(bounds(1, 1, waiters: 4))
        _ = pool.lease(a)
        _ = pool.lease(a)
        _ = pool.lease(b)
        var served = pool.giveBack(7, a, now: 1)
        #expect(served.count == 1 && served[0].grant == .reuse(7))
        served = pool.giveBack(7, a, now: 2)
        #expect(served.count == 1 && served[0].ticket == 2 && served[0].grant == .start(evicting: 7))
    }

    @Test(arguments: [(1, false), (2, false), (3, true)])
    func `waiting is bounded`(waiters: Int, isRefused: Bool) {
        var pool = PoolState(bounds(1, 1, waiters: 2))
        _ = pool.lease(a)
        let last = (0..<waiters).map { _ in pool.lease(a) }.last
        let fullness = PoolFullness(bound: .all, limit: 2, value: 2, retryAfterSeconds: 1)
        #expect((last == .refused(fullness)) == isRefused)
    }

    @Test func `one that stopped waiting is not served, and is told once`() {
        var pool = PoolState(bounds(1, 1, waiters: 4))
        _ = pool.lease(a)
        _ = pool.lease(a)
        let told = [pool.abandon(ticket: 1), pool.abandon(ticket: 1)]
        #expect(told == [true, false])
        let served = pool.vacate(a, now: 1)
        #expect(served.isEmpty)
        #expect(pool.seatsTaken == 0)
    }

    @Test func `idle workers grow old`() {
        var pool = PoolState(bounds(4, 4, waiters: 4))
        _ = pool.lease(a)
        _ = pool.lease(c)
        _ = pool.giveBack(1, a, now: 100)
        _ = pool.giveBack(2, c, now: 200)
        let old = pool.takeUnwanted(now: 160)
        let ofVersion = pool.takeIdle { $0.versionID == 2 }
        #expect(old == [1] && ofVersion == [2])
        #expect(pool.seatsTaken == 2, "seats are freed when the workers are retired")
    }

    @Test func `accounts that wait are served in turn, whoever waits with more`() {
        var pool = PoolState(bounds(1, 1, waiters: 100))
        let shared = PoolKey(versionID: 9, account: "")
        _ = pool.lease(shared, by: "anna", secondsLeft: 1e6, now: 0)
        for _ in 0..<10 { _ = pool.lease(shared, by: "anna", secondsLeft: 1e6, now: 0) }
        for _ in 0..<2 { _ = pool.lease(shared, by: "bob", secondsLeft: 1e6, now: 0) }
        var order: [Int] = []
        for now in 1...5 { order += pool.giveBack(1, shared, now: UInt64(now)).map(\.ticket) }
        #expect(order == [1, 11, 2, 12, 3], "tickets 1 to 10 are anna's, 11 and 12 bob's")
    }

    @Test(arguments: [(99_999_999, false), (100_000_000, true), (100_000_001, true)])
    func `a worker that its own calls want gives way to others once they have waited long enough`(
        waited: UInt64,
        givesWay: Bool
    ) {
        var pool = PoolState(bounds(1, 1, waiters: 10))
        _ = pool.lease(b)
        _ = pool.lease(a, now: 0)
        _ = pool.lease(b, now: 0)
        let served = pool.giveBack(5, b, now: waited)
        // Anna came first, and was served as long ago.
        #expect(served.map(\.grant) == (givesWay ? [.start(evicting: 5)] : [.reuse(5)]))
    }

    @Test func `a worker that has just answered goes on with its next call, not before an impatient one`() {
        var pool = PoolState(bounds(1, 1, waiters: 10))
        _ = pool.lease(b)
        _ = pool.lease(b, now: 5)
        _ = pool.lease(a, now: 5)
        let soon = pool.next(b, PoolService(), now: 10)
        _ = pool.lease(b, now: 10)
        let late = pool.next(b, PoolService(), now: 100_000_005)
        #expect(soon == 1 && late == nil)
    }

    @Test(arguments: [(3, nil), (4, PoolFullness.Bound.account), (5, .account)] as [(Int, PoolFullness.Bound?)])
    func `calls of one account that wait are bounded, and of one version`(waiting: Int, bound: PoolFullness.Bound?) {
        var limits = bounds(1, 1, waiters: 100)
        limits.waitersPerAccountMax = 3
        limits.waitersPerVersionMax = 4
        var pool = PoolState(limits)
        _ = pool.lease(a)
        let last = (0..<waiting).map { _ in pool.lease(a) }.last
        if case .refused(let fullness)? = last {
            #expect(fullness.bound == bound && fullness.limit == 3)
        } else {
            #expect(bound == nil)
        }
        guard waiting == 3 else { return }
        let others = [pool.lease(b), pool.lease(b)]
        guard case .refused(let fullness) = others[1] else { return #expect(Bool(false), "\(others)") }
        #expect(fullness == PoolFullness(bound: .version, limit: 4, value: 4, retryAfterSeconds: 1))
    }

    @Test func `a refusal says when to come again by what calls have taken`() {
        var pool = PoolState(bounds(1, 1, waiters: 2))
        _ = pool.lease(a)
        _ = pool.giveBack(1, a, PoolService(seconds: 3), now: 1)
        _ = pool.lease(a)
        _ = pool.lease(a)
        _ = pool.lease(a)
        guard case .refused(let fullness) = pool.lease(a) else { return #expect(Bool(false)) }
        #expect(fullness.retryAfterSeconds == 3)
    }

    @Test func `who would wait in vain is told at once`() {
        var pool = PoolState(bounds(1, 1, waiters: 100))
        _ = pool.lease(a)
        _ = pool.giveBack(1, a, PoolService(seconds: 1), now: 1)
        _ = pool.lease(a)
        for _ in 0..<16 { _ = pool.lease(a) }
        let hasTime = pool.lease(a, by: "anna", secondsLeft: 9, now: 0)
        guard case .wait = hasTime else { return #expect(Bool(false), "\(hasTime)") }
        guard case .refused(let fullness) = pool.lease(a, by: "anna", secondsLeft: 4, now: 0) else {
            return #expect(Bool(false))
        }
        #expect(fullness == PoolFullness(bound: .time, limit: 4, value: 18, retryAfterSeconds: 14))
    }

    @Test func `the least valuable idle worker gives way: cheap to start, seldom wanted, large`() {
        var pool = PoolState(bounds(3, 3, waiters: 10))
        let dear = PoolKey(versionID: 10, account: "x")
        let cheap = PoolKey(versionID: 11, account: "y")
        let large = PoolKey(versionID: 12, account: "z")
        for (key, start, memory) in [(dear, 2.0, 1 << 24), (cheap, 0.002, 1 << 24), (large, 2.0, 1 << 30)] {
            _ = pool.lease(key)
            pool.started(key, seconds: start)
            _ = pool.giveBack(Int(key.versionID), key, PoolService(seconds: 0.1, memoryBytes: UInt64(memory)), now: 1)
        }
        let order = (20..<22).map { number -> PoolState.Decision in
            pool.lease(PoolKey(versionID: number, account: "new"), now: 1_000_000_000)
        }
        #expect(order == [.granted(.start(evicting: 11)), .granted(.start(evicting: 12))])
    }

    @Test(arguments: [(120, false), (121, true)])
    func `workers are kept twice as long as the longest pause of late`(seconds: UInt64, goes: Bool) {
        var limits = bounds(3, 3, waiters: 10)
        limits.idleNanoseconds = 60_000_000_000...900_000_000_000
        var pool = PoolState(limits)
        for call in 0..<4 {
            _ = pool.lease(a, now: UInt64(call) * 60_000_000_000)
            _ = pool.giveBack(1, a, now: UInt64(call) * 60_000_000_000)
            if call < 3 { _ = pool.takeIdle() }
            if call < 3 { _ = pool.vacate(a, now: 0) }
        }
        let gone = pool.takeUnwanted(now: (180 + seconds) * 1_000_000_000)
        #expect(gone.isEmpty == !goes)
    }

    @Test func `what is reserved nobody else takes, and what is to be warm stays`() {
        var pool = PoolState(bounds(2, 2, waiters: 10))
        _ = pool.set([a: PoolTerms(seatsMax: 1, reserved: 1, warm: 1)], now: 0)
        #expect(pool.missingWarm == [a: 1])
        let first = [pool.lease(b), pool.lease(b)]
        #expect(first == [.granted(.start(evicting: nil)), .wait(ticket: 1, position: 1, isHeld: false)])
        let ahead = [pool.seatAhead(a, now: 0), pool.seatAhead(a, now: 0)]
        #expect(ahead == [.start(evicting: nil), nil], "one at most")
        #expect(pool.missingWarm.isEmpty)
        _ = pool.giveBack(7, a, now: 1)
        #expect(pool.takeUnwanted(now: 1_000_000_000_000).isEmpty)
        let impatient = pool.vacate(b, now: 1_000_000_000_000)
        #expect(impatient.map(\.grant) == [.start(evicting: nil)], "its own seat, not the reserved one's")
    }

    @Test func `short calls wait a moment for a busy worker rather than wake another`() {
        var limits = bounds(4, 4, waiters: 10)
        limits.processors = 1
        var pool = PoolState(limits)
        _ = pool.lease(a)
        _ = pool.lease(a)
        for worker in [1, 2] {
            _ = pool.giveBack(worker, a, PoolService(seconds: 0.000_1, cpuSeconds: 0.000_1), now: 1)
        }
        let decisions = [pool.lease(a, now: 2), pool.lease(a, now: 2)]
        #expect(decisions == [.granted(.reuse(2)), .wait(ticket: 1, position: 1, isHeld: true)])
        let early = pool.release(now: 2_000_001)
        let late = pool.release(now: 2_000_002)
        #expect(early.served.isEmpty && early.isHolding)
        #expect(late.served.map(\.grant) == [.reuse(1)])
        // Calls that wait for something gain by another worker.
        _ = pool.giveBack(1, a, PoolService(seconds: 0.001, cpuSeconds: 0.000_01), now: 3)
        _ = pool.giveBack(2, a, PoolService(seconds: 0.5, cpuSeconds: 0.000_01), now: 3)
        let slow = [pool.lease(a, now: 4), pool.lease(a, now: 4)]
        #expect(slow == [.granted(.reuse(2)), .granted(.reuse(1))])
    }

    /// Two processors; the daemon's own part of a call is 70 µs.
    @Test(arguments: [(0.000_005, 1), (0.000_05, 1), (0.000_5, 2), (0.001_9, 2)])
    func `the shorter a call, the fewer workers at once`(seconds: Double, workers: Int) {
        var traffic = PoolTraffic()
        traffic.arrive(a, now: 0)
        traffic.served(a, PoolService(seconds: seconds, cpuSeconds: seconds))
        #expect(traffic.workersAtOnce(a, processors: 2) == workers)
        #expect(traffic.workersAtOnce(a, processors: 1) == 1)
        #expect(traffic.workersAtOnce(a, processors: .max) > 1_000, "no bound at all")
    }

    @Test func `whatever happens, seats and workers add up`() {
        let seed = UInt64(ProcessInfo.processInfo.environment["FAASD_TEST_SEED"] ?? "") ?? 7
        var generator = Xorshift(state: seed)
        var pool = PoolState(bounds(5, 3, waiters: 6))
        var busy: [PoolKey] = []
        var waiting: [Int: PoolKey] = [:]
        var idle: [Int: PoolKey] = [:]
        var nextWorker = 0
        func take(_ grant: PoolState.Grant, _ key: PoolKey) {
            if case .reuse(let worker) = grant { #expect(idle.removeValue(forKey: worker) == key, "seed \(seed)") }
            if case .start(let evicted?) = grant { #expect(idle.removeValue(forKey: evicted) != nil, "seed \(seed)") }
            busy.append(key)
        }
        for step in 0..<20_000 {
            let key = [a, b, c].randomElement(using: &generator) ?? a
            switch Int.random(in: 0..<4, using: &generator) {
            case 0, 1:
                switch pool.lease(key) {
                case .granted(let grant): take(grant, key)
                case .wait(let ticket, _, _): waiting[ticket] = key
                case .refused(let fullness): #expect(fullness.value == 6)
                }
            case 2 where !busy.isEmpty:
                let gone = busy.remove(at: Int.random(in: 0..<busy.count, using: &generator))
                for served in pool.vacate(gone, now: UInt64(step)) {
                    take(served.grant, waiting.removeValue(forKey: served.ticket) ?? a)
                }
            case 3 where !busy.isEmpty:
                let done = busy.remove(at: Int.random(in: 0..<busy.count, using: &generator))
                idle[nextWorker] = done
                for served in pool.giveBack(nextWorker, done, now: UInt64(step)) {
                    take(served.grant, waiting.removeValue(forKey: served.ticket) ?? a)
                }
                nextWorker += 1
            default: break
            }
            #expect(pool.seatsTaken == busy.count + idle.count && pool.seatsTaken <= 5, "seed \(seed), step \(step)")
            #expect(
                pool.counts.idle == idle.count && pool.counts.waiting == waiting.count,
                "seed \(seed), step \(step)"
            )
        }
    }
}
