internal import Glibc
internal import NIOCore
internal import Sandbox
internal import Synchronization

/// Threads for running calls, which block: the one that rested last goes first, because its memory is still warm.
///
/// A thread that runs out of work while no other call runs looks out for the next for a moment: callers who call one after
/// another come back at once, and to wake a thread on a processor that rests takes as long as many a call.
final class CallThreads: Sendable {
    typealias Work = @Sendable () -> Void

    private struct State: Sendable {
        var resting: [Seat] = []
        var waiting = CircularBuffer<Work>()
        var threads = 0
        var isClosed = false
    }

    /// Where one thread gets its work.
    ///
    /// @unchecked: `work` is written by who took the seat from those that rest, before it posts, and read by the thread after.
    private final class Seat: @unchecked Sendable {
        /// 0 the thread sleeps, or is about to; 1 it looks out; 2 there is work, or nothing ever again.
        let posted = Atomic<Int>(0)
        var work: Work?
        private let wake = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

        init() { sem_init(wake, 0, 0) }

        deinit {
            sem_destroy(wake)
            wake.deallocate()
        }

        func post(_ work: Work?) {
            self.work = work
            if posted.exchange(2, ordering: .acquiringAndReleasing) == 0 { sem_post(wake) }
        }

        /// Waits for work, looking out for it first for so long; nil at the end.
        func wait(looking nanoseconds: UInt64) -> Work? {
            if nanoseconds > 0,
                posted.compareExchange(expected: 0, desired: 1, ordering: .acquiringAndReleasing).exchanged
            {
                let end = Deadline.now + nanoseconds
                while posted.load(ordering: .acquiring) == 1, Deadline.now < end { sched_yield() }
                _ = posted.compareExchange(expected: 1, desired: 0, ordering: .acquiringAndReleasing)
            }
            while posted.load(ordering: .acquiring) != 2 { while sem_wait(wake) != 0 {} }
            posted.store(0, ordering: .releasing)
            defer { work = nil }
            return work
        }
    }

    /// How long a thread looks out for the next call.
    private static let lookNanoseconds: UInt64 = 200_000

    private let state = Mutex(State())
    private let threadsMax: Int
    /// Whether to look out: asked when a thread runs out of work.
    private let mayLook: @Sendable () -> Bool

    init(most: Int, mayLook: @escaping @Sendable () -> Bool) { (threadsMax, self.mayLook) = (most, mayLook) }

    /// Has something run on a thread, which it may block; false when they are closed.
    func submit(_ work: @escaping Work) -> Bool {
        enum Step { case post(Seat), start, queued, closed }
        let step = state.withLock { state -> Step in
            guard !state.isClosed else { return .closed }
            if let seat = state.resting.popLast() { return .post(seat) }
            guard state.threads < threadsMax else {
                state.waiting.append(work)
                return .queued
            }
            state.threads += 1
            return .start
        }
        switch step {
        case .post(let seat): seat.post(work)
        case .start: start(work)
        case .queued: break
        case .closed: return false
        }
        return true
    }

    /// Lets threads end that rest; those that work end after it, and what waits is dropped by nobody: there must be none.
    func close() {
        let resting = state.withLock { state in
            state.isClosed = true
            defer { state.resting = [] }
            return state.resting
        }
        for seat in resting { seat.post(nil) }
    }

    private func start(_ work: @escaping Work) {
        var thread = pthread_t()
        let first = Unmanaged.passRetained(Start(work) { [self] in run($0) })
        let code = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                // An event loop may have started it, which stays on one.
                Processors.useAll()
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                start.run(start.work)
                return nil
            },
            first.toOpaque()
        )
        guard code != 0 else { return _ = pthread_detach(thread) }
        first.release()
        // The system has none just now: another of ours does it when it can.
        let isAlone = state.withLock { state in
            state.threads -= 1
            state.waiting.append(work)
            return state.threads == 0
        }
        precondition(!isAlone, "no thread for a call: \(code); \(threadsMax) must be allowed")
    }

    private final class Start: Sendable {
        let work: Work
        let run: @Sendable (@escaping Work) -> Void
        init(_ work: @escaping Work, _ run: @escaping @Sendable (@escaping Work) -> Void) {
            (self.work, self.run) = (work, run)
        }
    }

    private func run(_ first: @escaping Work) {
        let seat = Seat()
        var next: Work? = first
        while let work = next {
            next = nil
            work()
            next = rest(seat)
        }
    }

    private func rest(_ seat: Seat) -> Work? {
        let (work, isOver) = state.withLock { state -> (Work?, Bool) in
            if let work = state.waiting.popFirst() { return (work, false) }
            guard !state.isClosed else { return (nil, true) }
            state.resting.append(seat)
            return (nil, false)
        }
        if work != nil || isOver { return work }
        return seat.wait(looking: mayLook() ? Self.lookNanoseconds : 0)
    }
}
