internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The warm workers: `PoolState` decides, this class acts.
final class WorkerPool: Sendable {
    /// What a call gets: a worker that sleeps, or a seat and the worker that must go first.
    enum Lease: Sendable {
        case warm(Worker)
        case seat(evicting: Worker?)
    }

    /// Why a call gets no worker.
    enum Refusal: Error, Sendable {
        case queueFull(waiting: Int)
        case deadline
    }

    private struct State: Sendable {
        var decisions: PoolState
        var workers: [Int: Worker] = [:]
        var nextWorker = 0
        var waiting: [Int: CheckedContinuation<Lease?, Never>] = [:]
        var alarms: [Int: Scheduled<Void>] = [:]
    }

    private let state: Mutex<State>
    private let timers: any EventLoop

    init(limits: Limits, timers: any EventLoop) {
        let decisions = PoolState(
            seatsMax: limits.workersMax,
            seatsPerKeyMax: limits.workersPerKeyMax,
            seatsPerAccountMax: limits.workersPerAccountMax,
            waitersMax: limits.waitersMax
        )
        state = Mutex(State(decisions: decisions))
        self.timers = timers
    }

    /// Numbers for the metrics: seats taken, idle workers, waiting calls.
    var counts: (seats: Int, idle: Int, waiting: Int) {
        state.withLock {
            let counts = $0.decisions.counts
            return ($0.decisions.seatsTaken, counts.idle, counts.waiting)
        }
    }

    /// Waits for a worker or a seat, in order of arrival, until the deadline.
    func lease(_ key: PoolKey, deadline: Deadline) async throws(Refusal) -> Lease {
        let ticketed = Mutex<(ticket: Int?, full: Int?)>((nil, nil))
        let lease = await withCheckedContinuation { (continuation: CheckedContinuation<Lease?, Never>) in
            let immediate: Lease?? = state.withLock { state in
                switch state.decisions.lease(key) {
                case .granted(let grant): return .some(Self.resolve(grant, &state))
                case .wait(let ticket):
                    state.waiting[ticket] = continuation
                    ticketed.withLock { $0.ticket = ticket }
                    return nil
                case .refused(let waiting):
                    ticketed.withLock { $0.full = waiting }
                    return .some(nil)
                }
            }
            if let immediate { return continuation.resume(returning: immediate) }
            guard let ticket = ticketed.withLock({ $0.ticket }) else { return }
            self.arm(ticket, deadline)
        }
        if let lease { return lease }
        if let waiting = ticketed.withLock({ $0.full }) { throw .queueFull(waiting: waiting) }
        throw .deadline
    }

    /// Whether any worker of a version is alive.
    func hasSeats(version: Int64) -> Bool { state.withLock { $0.decisions.hasSeats(version: version) } }

    /// Puts a worker to sleep in the pool, where the next in line may get it at once.
    func giveBack(_ worker: Worker) {
        let resumed = state.withLock { state in
            let number = state.nextWorker
            state.nextWorker += 1
            state.workers[number] = worker
            return Self.resolve(state.decisions.giveBack(number, worker.key, now: Deadline.now), &state)
        }
        resume(resumed)
    }

    /// The seat of a worker that is gone goes to the next in line.
    func vacate(_ key: PoolKey) {
        resume(state.withLock { Self.resolve($0.decisions.vacate(key), &$0) })
    }

    /// Takes sleeping workers out, to be retired by the caller, who then vacates their seats.
    func takeIdle(olderThan age: Duration = .zero, where matches: (PoolKey) -> Bool = { _ in true }) -> [Worker] {
        let now = Deadline.now
        let moment = now - min(now, UInt64(age.nanosecondsClamped))
        return state.withLock { state in
            let taken = state.decisions.takeIdle(before: moment, where: matches)
            return taken.compactMap { state.workers.removeValue(forKey: $0.worker) }
        }
    }

    private func arm(_ ticket: Int, _ deadline: Deadline) {
        let alarm = timers.scheduleTask(in: .nanoseconds(deadline.remaining.nanosecondsClamped)) {
            self.abandon(ticket)
        }
        // It may have been served in the meantime.
        let isWaiting = state.withLock { state in
            if state.waiting[ticket] != nil { state.alarms[ticket] = alarm }
            return state.waiting[ticket] != nil
        }
        if !isWaiting { alarm.cancel() }
    }

    private func abandon(_ ticket: Int) {
        let continuation = state.withLock { state in
            state.alarms[ticket] = nil
            return state.decisions.abandon(ticket: ticket) ? state.waiting.removeValue(forKey: ticket) : nil
        }
        continuation?.resume(returning: nil)
    }

    private typealias Resumption = (continuation: CheckedContinuation<Lease?, Never>, lease: Lease)

    private func resume(_ resumptions: [Resumption]) {
        for resumption in resumptions { resumption.continuation.resume(returning: resumption.lease) }
    }

    private static func resolve(_ grants: [(ticket: Int, grant: PoolState.Grant)], _ state: inout State) -> [Resumption]
    {
        grants.map { served in
            guard let continuation = state.waiting.removeValue(forKey: served.ticket) else {
                preconditionFailure("ticket \(served.ticket) was served and nobody holds it")
            }
            state.alarms.removeValue(forKey: served.ticket)?.cancel()
            return (continuation, resolve(served.grant, &state))
        }
    }

    private static func resolve(_ grant: PoolState.Grant, _ state: inout State) -> Lease {
        switch grant {
        case .start(nil): return .seat(evicting: nil)
        case .start(let evicted?): return .seat(evicting: state.workers.removeValue(forKey: evicted))
        case .reuse(let number):
            guard let worker = state.workers.removeValue(forKey: number) else {
                preconditionFailure("worker \(number) is idle and not in the pool")
            }
            return .warm(worker)
        }
    }
}

extension Duration {
    /// Nanoseconds for timers, at most about 292 years.
    var nanosecondsClamped: Int64 {
        let (seconds, attoseconds) = components
        guard seconds < 9_000_000_000 else { return .max }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
