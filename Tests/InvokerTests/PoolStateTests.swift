import Foundation
import Testing

@testable import Invoker

@Suite struct PoolStateTests {
    private let a = PoolKey(versionID: 1, account: "anna")
    private let b = PoolKey(versionID: 1, account: "bob")
    private let c = PoolKey(versionID: 2, account: "anna")

    @Test func `an idle worker of the same key is reused, the latest first`() {
        var pool = PoolState(seatsMax: 4, seatsPerKeyMax: 4, waitersMax: 4)
        let first = [pool.lease(a), pool.lease(a)]
        #expect(first == [.granted(.start(evicting: nil)), .granted(.start(evicting: nil))])
        _ = pool.giveBack(10, a, now: 1)
        _ = pool.giveBack(11, a, now: 2)
        let then = [pool.lease(a), pool.lease(a)]
        #expect(then == [.granted(.reuse(11)), .granted(.reuse(10))])
    }

    @Test func `a worker of one account never serves another`() {
        var pool = PoolState(seatsMax: 4, seatsPerKeyMax: 4, waitersMax: 4)
        _ = pool.lease(a)
        _ = pool.giveBack(1, a, now: 1)
        let other = pool.lease(b)
        #expect(other == .granted(.start(evicting: nil)))
    }

    @Test func `a full pool retires the least recently used worker for another key`() {
        var pool = PoolState(seatsMax: 2, seatsPerKeyMax: 2, waitersMax: 4)
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
        var pool = PoolState(seatsMax: 10, seatsPerKeyMax: 3, waitersMax: 10)
        let decisions = (0..<asked).map { _ in pool.lease(a) }
        #expect(decisions.filter { $0 == .granted(.start(evicting: nil)) }.count == granted)
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 2)])
    func `seats of one account are bounded over all its versions`(asked: Int, granted: Int) {
        var pool = PoolState(seatsMax: 10, seatsPerKeyMax: 1, seatsPerAccountMax: 2, waitersMax: 10)
        let decisions = (0..<asked).map { pool.lease(PoolKey(versionID: Int64($0), account: "anna")) }
        #expect(decisions.filter { $0 == .granted(.start(evicting: nil)) }.count == granted)
        let other = pool.lease(b)
        #expect(other == .granted(.start(evicting: nil)))
    }

    @Test func `at its bound an account's own oldest worker gives way`() {
        var pool = PoolState(seatsMax: 10, seatsPerKeyMax: 2, seatsPerAccountMax: 1, waitersMax: 10)
        _ = pool.lease(b)
        _ = pool.giveBack(1, b, now: 1)
        _ = pool.lease(a)
        _ = pool.giveBack(2, a, now: 2)
        let next = pool.lease(c)
        #expect(next == .granted(.start(evicting: 2)))
        #expect(pool.hasSeats(version: 2) && pool.hasSeats(version: 1) && !pool.hasSeats(version: 3))
    }

    @Test func `the longest waiter gets the seat of a worker that died`() {
        var pool = PoolState(seatsMax: 1, seatsPerKeyMax: 1, waitersMax: 4)
        _ = pool.lease(a)
        let waits = [pool.lease(b), pool.lease(a)]
        #expect(waits == [.wait(ticket: 1), .wait(ticket: 2)])
        let served = pool.vacate(a)
        #expect(served.count == 1 && served[0].ticket == 1 && served[0].grant == .start(evicting: nil))
    }

    @Test func `a worker that is given back goes to a waiter of its key, or makes room for another`() {
        var pool = PoolState(seatsMax: 1, seatsPerKeyMax: 1, waitersMax: 4)
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
        var pool = PoolState(seatsMax: 1, seatsPerKeyMax: 1, waitersMax: 2)
        _ = pool.lease(a)
        let last = (0..<waiters).map { _ in pool.lease(a) }.last
        #expect((last == .refused(waiting: 2)) == isRefused)
    }

    @Test func `one that stopped waiting is not served, and is told once`() {
        var pool = PoolState(seatsMax: 1, seatsPerKeyMax: 1, waitersMax: 4)
        _ = pool.lease(a)
        _ = pool.lease(a)
        let told = [pool.abandon(ticket: 1), pool.abandon(ticket: 1)]
        #expect(told == [true, false])
        let served = pool.vacate(a)
        #expect(served.isEmpty)
        #expect(pool.seatsTaken == 0)
    }

    @Test func `idle workers grow old`() {
        var pool = PoolState(seatsMax: 4, seatsPerKeyMax: 4, waitersMax: 4)
        _ = pool.lease(a)
        _ = pool.lease(c)
        _ = pool.giveBack(1, a, now: 100)
        _ = pool.giveBack(2, c, now: 200)
        let old = pool.takeIdle(before: 150).map(\.worker)
        let ofVersion = pool.takeIdle { $0.versionID == 2 }.map(\.worker)
        #expect(old == [1] && ofVersion == [2])
        #expect(pool.seatsTaken == 2, "seats are freed when the workers are retired")
    }

    @Test func `whatever happens, seats and workers add up`() {
        let seed = UInt64(ProcessInfo.processInfo.environment["FAASD_TEST_SEED"] ?? "") ?? 7
        var generator = Xorshift(state: seed)
        var pool = PoolState(seatsMax: 5, seatsPerKeyMax: 3, waitersMax: 6)
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
                case .wait(let ticket): waiting[ticket] = key
                case .refused(let count): #expect(count == 6)
                }
            case 2 where !busy.isEmpty:
                let gone = busy.remove(at: Int.random(in: 0..<busy.count, using: &generator))
                for served in pool.vacate(gone) { take(served.grant, waiting.removeValue(forKey: served.ticket) ?? a) }
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
