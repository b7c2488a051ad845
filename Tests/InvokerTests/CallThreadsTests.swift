import Foundation
import Synchronization
import Testing

@testable import Invoker

/// What the works of a test have done.
private final class Tally: Sendable {
    let started = Atomic<Int>(0)
    let done = Atomic<Int>(0)
    let atOnce = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    let mayEnd = Atomic<Bool>(false)
    let names = Mutex<[UInt]>([])
}

@Suite struct CallThreadsTests {
    private func waitUntil(_ isSo: () -> Bool) -> Bool {
        let end = Date().addingTimeInterval(10)
        while Date() < end {
            if isSo() { return true }
            usleep(200)
        }
        return false
    }

    @Test(arguments: [false, true])
    func `everything that is submitted runs once, on no more threads than there may be`(looks: Bool) {
        let threads = CallThreads(most: 4) { looks }
        let tally = Tally()
        for round in 0..<2_000 {
            let isTaken = threads.submit {
                let now = tally.atOnce.add(1, ordering: .relaxed).newValue
                while true {
                    let seen = tally.most.load(ordering: .relaxed)
                    if now <= seen
                        || tally.most.compareExchange(expected: seen, desired: now, ordering: .relaxed).exchanged
                    {
                        break
                    }
                }
                if round % 50 == 0 { usleep(100) }
                tally.atOnce.subtract(1, ordering: .relaxed)
                tally.done.add(1, ordering: .relaxed)
            }
            #expect(isTaken)
            // With pauses of all lengths, so that threads sleep, look out and are just falling asleep.
            if round % 7 == 0 { usleep(UInt32(round % 400)) }
        }
        #expect(waitUntil { tally.done.load(ordering: .relaxed) == 2_000 })
        #expect(tally.most.load(ordering: .relaxed) <= 4)
        threads.close()
    }

    @Test func `who blocks keeps nobody else from a thread, up to the bound`() {
        let threads = CallThreads(most: 3) { false }
        let tally = Tally()
        for _ in 0..<4 {
            _ = threads.submit {
                tally.started.add(1, ordering: .relaxed)
                while !tally.mayEnd.load(ordering: .relaxed) { usleep(1_000) }
            }
        }
        #expect(waitUntil { tally.started.load(ordering: .relaxed) == 3 })
        usleep(20_000)
        #expect(tally.started.load(ordering: .relaxed) == 3, "the fourth waits")
        tally.mayEnd.store(true, ordering: .relaxed)
        #expect(waitUntil { tally.started.load(ordering: .relaxed) == 4 })
        threads.close()
    }

    @Test func `the thread that rested last goes first`() {
        let threads = CallThreads(most: 3) { false }
        let tally = Tally()
        for _ in 0..<3 {
            _ = threads.submit {
                tally.started.add(1, ordering: .relaxed)
                while !tally.mayEnd.load(ordering: .relaxed) { usleep(1_000) }
            }
        }
        #expect(waitUntil { tally.started.load(ordering: .relaxed) == 3 })
        tally.mayEnd.store(true, ordering: .relaxed)
        for round in 1...20 {
            usleep(5_000)
            _ = threads.submit { tally.names.withLock { $0.append(UInt(pthread_self())) } }
            #expect(waitUntil { tally.names.withLock { $0.count } == round })
        }
        #expect(Set(tally.names.withLock { $0 }).count == 1)
        threads.close()
    }

    @Test func `closed ones take nothing`() {
        let threads = CallThreads(most: 1) { false }
        threads.close()
        #expect(!threads.submit {})
    }
}
