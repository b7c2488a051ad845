public import Billing
internal import Catalog
public import Logging
internal import Metrics
internal import NIOPosix
public import Sandbox

/// One call from admission to settlement, on a pool of warm workers.
///
/// Hold, run, capture, reply: a result leaves only after its charge is durable, and a charge never exceeds its hold.
public final class Invoker: Sendable {
    let spawner: Spawner
    let ledger: Ledger
    let limits: Limits
    let pool: WorkerPool
    let nursery: Nursery
    let environments: Environments
    let metrics = CallMetrics()
    let answers: AnswerBudget
    let threads: NIOThreadPool
    private let endings = NIOThreadPool(numberOfThreads: 4)
    let builds: BuildQueue
    let logger: Logger

    /// Starts with an empty pool.
    public init(spawner: Spawner, ledger: Ledger, store: VersionStore, limits: Limits, logger: Logger) {
        self.spawner = spawner
        self.ledger = ledger
        self.limits = limits
        self.logger = logger
        pool = WorkerPool(limits: limits, timers: MultiThreadedEventLoopGroup.singleton.next())
        environments = Environments(store: store, preload: limits.preload)
        nursery = Nursery(spawner: spawner, environments: environments, limits: limits, logger: logger)
        answers = AnswerBudget(limits: limits, timers: MultiThreadedEventLoopGroup.singleton.next())
        // Worker conversations block, so each running call has a thread; the rest are for clearing up. Builds, which
        // take long, have threads of their own.
        builds = BuildQueue(atOnce: limits.buildsMax, waiting: limits.buildsWaitingMax)
        threads = NIOThreadPool(numberOfThreads: limits.workersMax + 8)
        threads.start()
        endings.start()
    }

    /// Runs one call to its end; never throws, because every end is an answer.
    ///
    /// - Parameters:
    ///   - request: who calls what with which bytes.
    ///   - admitted: told once whether the call was let in, before it runs; nil is yes.
    /// - Returns: the answer with its receipt.
    public func call(
        _ request: CallRequest,
        admitted: @Sendable (Refusal?) -> Void = { _ in }
    ) async -> CallReply {
        let arrived = Deadline.now
        let deadline = Deadline(after: .seconds(request.timeout.seconds))
        do {
            let hold = try await ledger.admit(request.description(deadline))
            admitted(nil)
            return await serve(request, hold, deadline, arrived)
        } catch {
            admitted(error)
            Counter(label: "faasd_refusals_total", dimensions: [("reason", error.kind.rawValue)]).increment()
            return CallReply(answer: .refused(error), queue: .nanoseconds(Int64(Deadline.now - arrived)))
        }
    }

    private func serve(
        _ request: CallRequest,
        _ hold: consuming Hold,
        _ deadline: Deadline,
        _ arrived: UInt64
    ) async -> CallReply {
        let granted = hold.wallGranted
        var attempt = await runWithRoom(request, deadline, granted, ceilingBinds: hold.ceilingBinds, arrived)
        let usage = request.usage(attempt)
        let ran = Deadline.now
        do {
            let bytesMax = ledger.limits.keptAnswerBytesMax
            let kept = request.claim.flatMap {
                KeptCall.answer(attempt.reply, to: $0, usage.outcome, bytesMax: bytesMax)
            }
            attempt.reply.receipt = try await ledger.settle(hold, usage, keeping: kept)
        } catch {
            logger.error("settlement failed", metadata: ["call": "\(request.invocation)", "error": "\(error)"])
            attempt.reply.answer = .outcomeUnknown
        }
        attempt.reply.commit = .nanoseconds(Int64(Deadline.now - ran))
        metrics.record(attempt.reply, usage.outcome)
        return attempt.reply
    }

    /// Runs a call once there is room for the largest answer it may have, so that no answer is lost for want of room.
    private func runWithRoom(
        _ request: CallRequest,
        _ deadline: Deadline,
        _ granted: Duration,
        ceilingBinds: Bool,
        _ arrived: UInt64
    ) async -> Attempt {
        let room: AnswerRoom
        do { room = try await answers.room(for: request.account, deadline: deadline) } catch {
            return Attempt(
                CallReply(answer: request.noRoom(error), queue: .nanoseconds(Int64(Deadline.now - arrived)))
            )
        }
        var attempt = await runOnWorker(request, deadline, granted, ceilingBinds: ceilingBinds, arrived)
        room.shrink(to: attempt.reply.bytes)
        attempt.reply.room = room
        return attempt
    }

    private func runOnWorker(
        _ request: CallRequest,
        _ deadline: Deadline,
        _ granted: Duration,
        ceilingBinds: Bool,
        _ arrived: UInt64
    ) async -> Attempt {
        let key = PoolKey(
            versionID: request.version.id,
            account: request.version.isolation == .shared ? "" : request.account
        )
        var retriesLeft = Self.retriesMax
        while true {
            let lease: WorkerPool.Lease
            do { lease = try await pool.lease(key, deadline: deadline) } catch {
                return Attempt(
                    CallReply(answer: request.noWorker(error), queue: .nanoseconds(Int64(Deadline.now - arrived)))
                )
            }
            let job = Job(
                request: request,
                key: key,
                deadline: deadline,
                granted: granted,
                ceilingBinds: ceilingBinds,
                queue: .nanoseconds(Int64(Deadline.now - arrived))
            )
            if let attempt = await perform(job, lease, mayRetry: retriesLeft > 0) { return attempt }
            retriesLeft -= 1
        }
    }

    /// How many sleeping workers may turn out to be dead before the next one's end counts as the call's.
    private static let retriesMax = 2

    /// Runs a job on a thread that may block; nil when the worker was gone before it was told anything.
    private func perform(_ job: Job, _ lease: WorkerPool.Lease, mayRetry: Bool) async -> Attempt? {
        do {
            return try await threads.runIfActive { self.run(job, lease, mayRetry: mayRetry) }
        } catch {
            pool.vacate(job.key)
            return Attempt(CallReply(answer: .fault("the daemon is stopping")))
        }
    }

    private func run(_ job: Job, _ lease: WorkerPool.Lease, mayRetry: Bool) -> Attempt? {
        let worker: Worker
        var isWarm = false
        switch lease {
        case .warm(let sleeping):
            worker = sleeping
            isWarm = true
        case .seat(let evicted):
            evicted.map(end)
            switch start(job) {
            case .success(let started): worker = started
            case .failure(let failure): return job.attempt(failure)
            }
        }
        let result = worker.run(job.exchange(limits))
        release(worker, job, result)
        // Not before: on a small machine the next box would be made at the expense of this call.
        if !isWarm { nursery.tend() }
        // Workers that die in their sleep, one after another, are their author's.
        if case .lost = result.answer, isWarm, mayRetry { return nil }
        return job.attempt(result, loaded: isWarm ? nil : worker)
    }

    /// Kills another call's sleeping worker at once, and leaves the waiting for its end to a thread that nobody waits for:
    /// how long the kernel clears up behind a box is in its author's hand.
    private func end(_ evicted: Worker) {
        evicted.kill()
        endings.submit { _ in evicted.retire() }
    }

    private func start(_ job: Job) -> Result<Worker, StartFailure> {
        do throws(StartFailure) {
            let deadline = min(job.deadline, Deadline(after: limits.loadMax))
            let worker = try Worker.start(
                nursery: nursery,
                key: job.key,
                version: job.request.workerVersion,
                deadline: deadline,
                onTimeout: job.loadTimeout(limits),
                logBytesMax: limits.logBytesMax
            )
            return .success(worker)
        } catch {
            pool.vacate(job.key)
            if case .platform(let cause) = error { logger.error("box failed", metadata: ["error": "\(cause)"]) }
            return .failure(error)
        }
    }

    private func release(_ worker: Worker, _ job: Job, _ result: ExchangeResult) {
        if result.isReusable && job.request.version.isolation != .call { return pool.giveBack(worker) }
        // The answer does not wait for its end, only the seat does.
        worker.kill()
        endings.submit { _ in
            worker.retire()
            self.pool.vacate(job.key)
        }
    }

    /// Retires workers that slept for too long.
    ///
    /// Call it from time to time.
    public func retireIdle() async {
        nursery.tend()
        await retire(pool.takeIdle(olderThan: limits.idleMax))
    }

    /// Retires the sleeping workers of versions that are gone.
    public func retire(versions: Set<Int64>) async {
        await retire(pool.takeIdle { versions.contains($0.versionID) })
    }

    /// Whether any worker of a version is alive, so that its files are still needed.
    public func isInUse(version: Int64) -> Bool { pool.hasSeats(version: version) }

    /// Ends every sleeping worker and then the threads; running calls end first or fail.
    public func shutDown() async {
        await retire(pool.takeIdle())
        await nursery.close()
        await builds.shutDown()
        try? await threads.shutdownGracefully()
    }

    private func retire(_ workers: [Worker]) async {
        guard !workers.isEmpty else { return }
        try? await threads.runIfActive {
            for worker in workers {
                worker.retire()
                self.pool.vacate(worker.key)
            }
        }
    }

    /// Runs something that blocks where blocking does no harm.
    public func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async throws -> Value {
        try await threads.runIfActive(work)
    }

    /// Bytes of memory set aside for answers: of calls that run, and of those whose clients have not read them.
    public var answerBytes: Int { answers.takenBytes }

    /// What became of calls and where their time went, in Prometheus' text format.
    public var metricsText: String { metrics.text }

    /// Boxes that wait for their first version.
    public var blanks: Int { nursery.ready }

    /// Live workers, sleeping ones, and calls that wait for one.
    public var poolCounts: (seats: Int, idle: Int, waiting: Int) { pool.counts }
}
