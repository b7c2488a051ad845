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

    /// What can be said at once to a call that wants a worker.
    enum Answer: Sendable {
        case granted(Lease)
        /// It will be told.
        case waits
        case refused(PoolFullness)
    }

    /// Why a call gets no worker.
    enum Refusal: Error, Sendable {
        case queueFull(PoolFullness)
        case deadline
    }

    /// Calls that got what they waited for.
    typealias Grants = [(flow: CallFlow, lease: Lease)]

    fileprivate struct State: Sendable {
        var decisions: PoolState
        var workers: [Int: Worker] = [:]
        var nextWorker = 0
        var waiting: [Int: CallFlow] = [:]
        /// When the alarm rings that looks for calls whose time is over; nil when none is set.
        var alarm: Deadline?
        /// Whether those will be looked at that wait although a worker sleeps.
        var isReleasing = false
        /// Those of the idle workers that do not stand still yet.
        var drowsy = Drowsy()
        /// Whether they will be looked at.
        var isSettling = false
    }

    private let state: Mutex<State>
    private let timers: any EventLoop
    private let endings: NIOThreadPool
    private let holdTime: TimeAmount

    /// - Parameters:
    ///   - limits: how many of everything.
    ///   - timers: where those who wait are looked at.
    ///   - endings: where workers are ended that would not stand still, which blocks.
    init(limits: Limits, timers: any EventLoop, endings: NIOThreadPool) {
        self.endings = endings
        state = Mutex(State(decisions: PoolState(limits.pool)))
        self.timers = timers
        holdTime = .nanoseconds(Int64(limits.pool.holdNanoseconds))
    }

    /// Numbers for the metrics: seats taken, idle workers, waiting calls.
    var counts: (seats: Int, idle: Int, waiting: Int) {
        state.withLock {
            let counts = $0.decisions.counts
            return ($0.decisions.seatsTaken, counts.idle, counts.waiting)
        }
    }

    /// Calls that were let in and have no answer yet.
    let underWay = Atomic<Int>(0)

    /// Whether a call is the only one, so that a processor may wait with it: on a machine of several.
    var isAlone: Bool {
        Self.isParallel && isQuiet && state.withLock { $0.decisions.isQuiet(atWork: 1) }
    }

    /// Whether no worker is at work, and no more than one call waits for its charge: on a machine of several processors.
    var isAtRest: Bool {
        Self.isParallel && isQuiet && state.withLock { $0.decisions.isQuiet(atWork: 0) }
    }

    private var isQuiet: Bool { underWay.load(ordering: .relaxed) <= 1 }

    /// Asked once: to count processors reads files of control groups, 7 µs of each call.
    private static let isParallel = System.coreCount > 1

    /// A worker or a seat, or a place in the line, until the call's deadline.
    func lease(_ key: PoolKey, for flow: CallFlow) -> Answer {
        let left = Double(flow.deadline.remaining.nanosecondsClamped) / 1e9
        let (answer, alarm, release) = state.withLock { state -> (Answer, Deadline?, Bool) in
            switch state.decisions.lease(key, by: flow.request.account, secondsLeft: left, now: Deadline.now) {
            case .granted(let grant): return (.granted(Self.resolve(grant, &state)), nil, false)
            case .refused(let fullness): return (.refused(fullness), nil, false)
            case .wait(let ticket, let position, let isHeld):
                flow.position = position
                state.waiting[ticket] = flow
                let release = isHeld && !state.isReleasing
                state.isReleasing = state.isReleasing || isHeld
                return (.waits, state.alarmNeeded(for: flow.deadline), release)
            }
        }
        if let alarm { ring(at: alarm) }
        if release { releaseSoon() }
        return answer
    }

    /// Has those looked at that wait for a busy worker although another sleeps.
    private func releaseSoon() {
        timers.scheduleTask(in: holdTime) { self.releaseHeld() }
    }

    private func releaseHeld() {
        let (grants, again) = state.withLock { state -> (Grants, Bool) in
            let (served, isHolding) = state.decisions.release(now: Deadline.now)
            state.isReleasing = isHolding
            return (Self.resolve(served, &state), isHolding)
        }
        if again { releaseSoon() }
        for grant in grants { grant.flow.goOn(grant.lease) }
    }

    /// The call that may have a worker which has just answered, without its coming to rest.
    ///
    /// - Parameters:
    ///   - key: the worker's.
    ///   - service: what its last call was.
    /// - Returns: the call, which has the worker now; nil when nobody may.
    func next(_ key: PoolKey, _ service: PoolService) -> CallFlow? {
        state.withLock { state in
            state.decisions.next(key, service, now: Deadline.now).flatMap { state.waiting.removeValue(forKey: $0) }
        }
    }

    /// Whether any worker of a version is alive.
    func hasSeats(version: Int64) -> Bool { state.withLock { $0.decisions.hasSeats(version: version) } }

    /// Puts a worker to rest in the pool, where the next in line may get it at once.
    ///
    /// - Parameters:
    ///   - worker: frozen, or awake: then it will be frozen when nobody wants it for a moment.
    ///   - service: what its last call was; nil when there was none.
    /// - Returns: who got something by it.
    func giveBack(_ worker: Worker, _ service: PoolService?) -> Grants {
        // Asked while it is still ours.
        let isAwake = worker.isAwake
        let (grants, settle) = state.withLock { state -> (Grants, Bool) in
            let (number, now) = (state.nextWorker, Deadline.now)
            state.nextWorker += 1
            state.workers[number] = worker
            worker.rests(number)
            let grants = Self.resolve(state.decisions.giveBack(number, worker.key, service, now: now), &state)
            guard isAwake, state.workers[number] != nil else { return (grants, false) }
            state.drowsy.rests(number, now: now)
            defer { state.isSettling = true }
            return (grants, !state.isSettling)
        }
        if settle { settleSoon() }
        return grants
    }

    /// Not on the event loop: to freeze a group takes a lock of the kernel's, which may be held for milliseconds.
    private func settleSoon(in nanoseconds: UInt64 = Drowsy.awakeNanoseconds) {
        timers.scheduleTask(in: .nanoseconds(Int64(nanoseconds))) { self.endings.submit { _ in self.settle() } }
    }

    /// Freezes the workers that nobody wanted, and ends those that do not stand still.
    private func settle() {
        let due = state.withLock { state in
            var due: [(worker: Worker, number: Int, step: Drowsy.Step, since: UInt64)] = []
            while let (number, step, since) = state.drowsy.due(now: Deadline.now) {
                if let worker = state.workers[number] { due.append((worker, number, step, since)) }
            }
            return due
        }
        // Whoever leases one of them meanwhile waits for no longer than its freezing takes.
        var falling: [(number: Int, since: UInt64)] = []
        var restless: [Int] = []
        for (worker, number, step, since) in due {
            switch step {
            case .freeze: if worker.doze(in: number) { falling.append((number, since)) }
            case .look(let isLast):
                guard !worker.isStill(in: number) else { continue }
                if isLast { restless.append(number) } else { falling.append((number, since)) }
            }
        }
        let (ended, next) = state.withLock { state -> ([Worker], UInt64?) in
            let now = Deadline.now
            for (number, since) in falling { state.drowsy.falls(number, since: since, now: now) }
            let ended = restless.filter { state.decisions.takeIdle($0) }
                .compactMap { state.workers.removeValue(forKey: $0) }
            state.isSettling = !state.drowsy.isEmpty
            return (ended, state.drowsy.nextDue.map { $0 - min(now, $0) })
        }
        if let next { settleSoon(in: next) }
        for worker in ended { end(worker) }
    }

    /// Ends a worker that would not stand still; its seat is its own until it is gone.
    private func end(_ restless: Worker) {
        endings.submit { _ in
            restless.retire()
            for grant in self.vacate(restless.key) { grant.flow.goOn(grant.lease) }
        }
    }

    /// A worker was started, in so many seconds: what it is worth to keep those of its key.
    func started(_ key: PoolKey, seconds: Double) {
        state.withLock { $0.decisions.started(key, seconds: seconds) }
    }

    /// The seat of a worker that is gone goes to the next in line.
    ///
    /// - Returns: who got it.
    func vacate(_ key: PoolKey) -> Grants {
        state.withLock { Self.resolve($0.decisions.vacate(key, now: Deadline.now), &$0) }
    }

    /// Sets what is wanted of the workers of some keys.
    ///
    /// - Returns: who got something by it.
    func set(_ terms: [PoolKey: PoolTerms]) -> Grants {
        state.withLock { Self.resolve($0.decisions.set(terms, now: Deadline.now), &$0) }
    }

    /// Keys that have fewer workers than are to be kept warm, and how many are missing.
    var missingWarm: [PoolKey: Int] { state.withLock { $0.decisions.missingWarm } }

    /// A seat for a worker that no call waits for, and the worker that must go first; nil when there is none.
    func seatAhead(_ key: PoolKey) -> Lease? {
        state.withLock { state in
            state.decisions.seatAhead(key, now: Deadline.now).map { Self.resolve($0, &state) }
        }
    }

    /// Takes sleeping workers out, to be retired by the caller, who then vacates their seats.
    func takeIdle(where matches: (PoolKey) -> Bool = { _ in true }) -> [Worker] {
        state.withLock { state in
            state.decisions.takeIdle(where: matches).compactMap { state.workers.removeValue(forKey: $0) }
        }
    }

    /// Takes out the sleeping workers that nobody has wanted for long, and some more when the host is short of memory.
    func takeUnwanted(isShort: Bool) -> [Worker] {
        state.withLock { state in
            let now = Deadline.now
            var numbers = state.decisions.takeUnwanted(now: now)
            let more = isShort ? max(1, state.decisions.counts.idle / 4) : 0
            while numbers.count < more, let next = state.decisions.takeLeastValuable(now: now) { numbers.append(next) }
            return numbers.compactMap { state.workers.removeValue(forKey: $0) }
        }
    }

    /// One alarm for all who wait: most deadlines are later than the one it is set to, and ask for nothing.
    private func ring(at alarm: Deadline) {
        timers.scheduleTask(in: .nanoseconds(alarm.remaining.nanosecondsClamped)) { self.refuseLate(alarm) }
    }

    private func refuseLate(_ rung: Deadline) {
        let (late, alarm) = state.withLock { state -> ([CallFlow], Deadline?) in
            // One that was set before an earlier one has nothing to do any more.
            guard state.alarm == rung else { return ([], nil) }
            state.alarm = nil
            let now = Deadline(after: .zero)
            let tickets = state.waiting.filter { $0.value.deadline <= now }.keys
            let late = tickets.filter { state.decisions.abandon(ticket: $0) }
                .compactMap { state.waiting.removeValue(forKey: $0) }
            let next = state.waiting.values.map(\.deadline).min()
            return (late, next.flatMap { state.alarmNeeded(for: $0) })
        }
        if let alarm { ring(at: alarm) }
        for flow in late { flow.lacksWorker(.deadline) }
    }

    private static func resolve(_ grants: [(ticket: Int, grant: PoolState.Grant)], _ state: inout State) -> Grants {
        grants.map { served in
            guard let flow = state.waiting.removeValue(forKey: served.ticket) else {
                preconditionFailure("ticket \(served.ticket) was served and nobody holds it")
            }
            return (flow, resolve(served.grant, &state))
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

extension WorkerPool.State {
    /// Notes that somebody waits until a deadline; when to set the alarm to, nil when it is set to that or before.
    fileprivate mutating func alarmNeeded(for deadline: Deadline) -> Deadline? {
        if let alarm, alarm <= deadline { return nil }
        alarm = deadline
        return deadline
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
