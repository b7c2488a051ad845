internal import Billing
internal import Catalog
internal import NIOCore
internal import Sandbox
internal import Synchronization

/// One box with one version's code loaded, serving one call at a time.
///
/// @unchecked: the pool leases a worker to one call, and so to one thread, at a time; nothing else touches its box.
final class Worker: @unchecked Sendable {
    let key: PoolKey
    let limits: BoxLimits
    private var box: Box?
    /// What it was forked from, which lives as long as any of its forks.
    private var template: Template?
    /// What the kernel had counted when its last call was told; nil before the first.
    ///
    /// What the kernel does for a box that stands still, such as clearing up children whose alarm ends them, belongs
    /// to the next call; where callers share a worker, to the house.
    private var told: Exchange.Counted?
    /// Whether it runs: since it was started, or because it was left so by its last call.
    ///
    /// Of who has leased it; while it sleeps in the pool, under the lock of `rest`.
    private(set) var isAwake = true
    /// The number of its rest in the pool, nil while somebody has it: who freezes it there, which takes a lock of the kernel's,
    /// keeps nobody waiting but who wants this very worker.
    private let rest = Mutex<Int?>(nil)
    private let born = Deadline.now
    /// Calls it has served.
    private(set) var calls = 0
    /// CPU time and wall time of importing the code and of `load()`; the house's.
    private(set) var loadTime: Duration = .zero
    private(set) var loadCPU: Duration = .zero
    /// Whether it said, once it had loaded, that it can be told to fork.
    private(set) var canBranch = false
    /// How it came to be, and in what time.
    let start: StartKind
    let startTime: Duration
    /// CPU time of the box before it read the first of the author's code: the platform's.
    private let startCPU: Duration
    /// That of an interpreter that is started for the call, about.
    private static let interpreterCPU: Duration = .milliseconds(30)

    private init(_ order: StartOrder, _ made: consuming FreshBox) {
        key = order.key
        limits = order.version.limits
        start = made.start
        startTime = made.making
        startCPU = start == .exec ? Self.interpreterCPU : .microseconds(Int64(clamping: made.box.cpuMicros))
        box = .some(made.box)
    }

    /// A worker that has its code because what it was forked from had it; running and ready.
    ///
    /// - Parameters:
    ///   - order: for whom.
    ///   - made: the fork.
    ///   - template: what it was forked from.
    ///   - loaded: the worker that the template was, when that was loaded for this one.
    init(_ order: StartOrder, _ made: consuming FreshBox, of template: Template, loaded: Worker?) {
        key = order.key
        limits = order.version.limits
        start = loaded?.start ?? made.start
        startTime = (loaded?.startTime ?? .zero) + made.making
        startCPU = .zero
        loadTime = loaded?.loadTime ?? .zero
        loadCPU = (loaded?.loadCPU ?? .zero) + template.forkCPU
        box = .some(made.box)
        self.template = template
    }

    /// Makes a box, loads the code, and leaves it running and ready.
    ///
    /// - Parameters:
    ///   - order: for whom, of which version, until when.
    ///   - make: makes the box, or another when that was ended from outside.
    /// - Returns: the worker.
    /// - Throws: `StartFailure`: the author's fault with its verdict, or ours.
    static func start(
        _ order: StartOrder,
        make: (_ isRepeated: Bool) throws(SandboxError) -> FreshBox
    ) throws(StartFailure) -> Worker {
        var isRepeated = false
        while true {
            let worker: Worker
            do throws(SandboxError) { worker = Worker(order, try make(isRepeated)) } catch { throw .platform(error) }
            let began = Deadline.now
            let isLoaded = try worker.load(order, mayVanish: !isRepeated)
            worker.loadTime = .nanoseconds(Int64(Deadline.now - began))
            if isLoaded { return worker }
            isRepeated = true
        }
    }

    /// Has the code loaded.
    ///
    /// Nothing inside a box can end its process 1 with SIGKILL except the memory limit, which is counted: a box that
    /// was ended so while it loaded was the platform's to keep, such as one forked from a zygote that fell.
    ///
    /// - Returns: false when it was ended from outside and `mayVanish`; then another may be tried.
    private func load(_ order: StartOrder, mayVanish: Bool) throws(StartFailure) -> Bool {
        guard let box = box.take() else { preconditionFailure("a worker has its box until it is retired") }
        var conversation = Conversation(
            .initialize,
            payload: ByteBuffer(string: order.version.name),
            logBytesMax: order.logBytesMax,
            deadline: order.deadline
        ) { $0 == .ready ? 0 : $0 == .loadError ? Exchange.errorBytesMax : nil }
        let event = conversation.next(box)
        if case .frame(.ready, let flags, _) = event {
            canBranch = flags & FrameHeader.canBranch != 0
            loadCPU = max(.zero, .microseconds(Int64(clamping: box.cpuMicros)) - startCPU)
            self.box = consume box
            return true
        }
        let evidence = Evidence(oomKills: box.oomKills, pidsRefused: box.pidsRefused, tmpIsFull: box.tmpIsFull)
        box.kill()
        conversation.drainLogs(box)
        let death = Self.end(box)
        let cpu = Duration.microseconds(Int64(clamping: death?.cpuMicros ?? 0))
        let isUntouched = evidence == Evidence() && death?.oomKills == 0
        if mayVanish, isUntouched, case .ended = event, death?.cause == .signaled(9) { return false }
        if case .deadline = event { throw .author(order.onTimeout, log: conversation.log.text, cpu: cpu) }
        throw .author(Self.loadFailure(event, evidence, death, limits), log: conversation.log.text, cpu: cpu)
    }

    private static func end(_ box: consuming Box) -> Death? { try? box.destroy() }

    private static func loadFailure(
        _ event: Conversation.Event,
        _ evidence: Evidence,
        _ death: Death?,
        _ limits: BoxLimits
    ) -> Failure {
        var failure: Failure
        switch event {
        case .frame(.loadError, _, let payload):
            let reported = ReportedError(payload) ?? ReportedError(type: "LoadingError", message: "loading failed")
            failure = Verdict.reported(reported)
            failure.outcome = .loadFailed
            failure.type = "LoadingError"
        case .violation(let detail): failure = Verdict.protocolViolation(detail)
        case .tooLarge(let bytes, let limit): failure = Verdict.outputTooLarge(bytes, limit: limit)
        default:
            var seen = evidence
            seen.oomKills = max(seen.oomKills, death?.oomKills ?? 0)
            failure = Verdict.death(death?.cause ?? .unknown, seen, limits: limits)
        }
        if let limit = Verdict.limit(evidence, limits) { failure = limit }
        failure.message = "while loading: " + failure.message
        if failure.outcome == .exit || failure.outcome == .signal { failure.outcome = .loadFailed }
        return failure
    }

    /// Runs one call; afterwards the box stands still, or is awake for the next, or is gone when it cannot be used again.
    ///
    /// - Parameters:
    ///   - call: what is asked.
    ///   - then: asked once it may serve another call, with the CPU time of this one, what it does then.
    /// - Returns: what came of the call, and whether the worker goes on.
    func run(_ call: ExchangeCall, then: (Duration) -> Exchange.Then) -> ExchangeResult {
        rest.withLock { $0 = nil }
        guard let box = box.take() else { return .lost }
        calls += 1
        var exchange = Exchange(call: call, limits: limits, told: told)
        let mayStay = calls < Self.callsMax
        // Not where callers share it: what it computes between two calls would be the next caller's.
        let isOneCallers = !key.account.isEmpty
        let result = exchange.run(box, isAwake: isAwake) { cpu in
            guard mayStay, isOneCallers, isFresh(box, after: cpu) else { return .freeze }
            let next = then(cpu)
            return next == .stayAwake && !staysQuiet(box) ? .freeze : next
        }
        told = exchange.told
        isAwake = result.isAwake
        if !isOneCallers { told?.cpuMicros = nil }
        if result.isReusable, mayStay, result.isAwake || isFresh(box) {
            self.box = consume box
            return exchange.finish(result)
        }
        exchange.end(box)
        var ended = exchange.finish(result)
        ended.isReusable = false
        return ended
    }

    /// Calls of one worker, after which another takes its place: whatever leaks has an end.
    static let callsMax = 100_000
    /// Age at which another takes its place.
    private static let ageMax: Duration = .seconds(6 * 3_600)

    /// Memory that its processes and files take; bytes.
    private(set) var memoryBytes: UInt64 = 0

    /// Whether it is worth keeping: neither old nor near its limit with what earlier calls have left.
    private func isFresh(_ box: borrowing Box, after cpu: Duration? = nil) -> Bool {
        // Not after each of its short calls: to take half of its memory takes longer.
        let mayBeMore = cpu.map { $0 > Self.growthMin } ?? true
        if mayBeMore || calls % 4 == 1 || memoryBytes > limits.memoryBytes / 2 { memoryBytes = box.memoryBytes }
        let isOld = Deadline.now - born > UInt64(Self.ageMax.nanosecondsClamped)
        // Cached files are no reason: the kernel drops them when it has to.
        return !isOld && (memoryBytes < limits.memoryBytes / 8 * 7 || box.ownMemoryBytes < limits.memoryBytes / 8 * 7)
    }

    /// CPU time in which no call takes half of the smallest memory there is.
    private static let growthMin: Duration = .milliseconds(1)

    /// Puts a worker that has loaded to sleep before it has served anything; false when it would not stand still.
    func fallAsleep() -> Bool {
        isAwake = false
        return box?.freeze() ?? false
    }

    /// Rests for which it is frozen at once, because it did not keep quiet in one.
    private var restless = 0
    private static let restlessFor = 1_000
    /// CPU time of a process that answers, looks for the next call and is stopped; more is somebody's work.
    private static let quietMicros: UInt64 = 300

    /// Whether it can be left awake for a moment, in which nobody would meter it: nothing is there that could go on but the
    /// process that has answered, and that has kept quiet so far.
    private func staysQuiet(_ box: borrowing Box) -> Bool {
        if restless > 0 { restless -= 1 }
        return restless == 0 && box.tasks == 1
    }

    /// It comes to rest in the pool, under this number.
    func rests(_ number: Int) { rest.withLock { $0 = number } }

    /// Has it frozen, without waiting for it; it is the caller's to see that it stands still soon.
    ///
    /// - Returns: whether it still was in that rest.
    func doze(in number: Int) -> Bool {
        rest.withLock { rest in
            guard rest == number, isAwake else { return false }
            isAwake = false
            box?.beginFreeze()
            return true
        }
    }

    /// Whether the kernel says that it stands still, or it is in that rest no longer.
    func isStill(in number: Int) -> Bool {
        rest.withLock { rest in
            guard rest == number, let isFrozen = box?.isFrozen else { return true }
            if isFrozen, let told = told?.cpuMicros, let used = box?.cpuMicros, used > told + Self.quietMicros {
                restless = Self.restlessFor
            }
            return isFrozen
        }
    }

    /// Kills every process of the box, without waiting.
    func kill() { box?.kill() }

    /// Ends the box and everything in it.
    ///
    /// Blocks for as long as the kernel needs, mostly about a millisecond; seconds, when the box had the kernel remember
    /// millions of names.
    func retire() {
        rest.withLock { $0 = nil }
        if let box = box.take() { _ = Self.end(box) }
        // The last one ends the template.
        template = nil
    }

    /// Hands its box over to what others are forked from.
    func giveBox() -> Box? { box.take() }
}

/// What a worker needs to know of a version.
struct WorkerVersion: Sendable {
    var name: String
    var storeKey: [UInt8]
    var limits: BoxLimits
    var start: StartMode
}

/// A worker that is wanted.
struct StartOrder: Sendable {
    var key: PoolKey
    var version: WorkerVersion
    /// When it must have loaded.
    var deadline: Deadline
    /// What it means when it has not.
    var onTimeout: Failure
    var logBytesMax: Int
}

/// Why a worker did not start.
enum StartFailure: Error, Sendable {
    case author(Failure, log: String, cpu: Duration)
    case platform(SandboxError)
}
