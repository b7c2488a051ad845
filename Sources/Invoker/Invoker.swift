public import Billing
internal import Catalog
public import Logging
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
    let templates: Templates
    let environments: Environments
    let metrics = CallMetrics()
    let answers: AnswerBudget
    private let calls: CallThreads
    /// For what blocks and is no call.
    let threads = NIOThreadPool(numberOfThreads: 8)
    private let endings = NIOThreadPool(numberOfThreads: 4)
    let builds: BuildQueue
    let failedStarts = FailedStarts()
    let logger: Logger

    /// Starts with an empty pool.
    public init(spawner: Spawner, ledger: Ledger, store: VersionStore, limits: Limits, logger: Logger) {
        self.spawner = spawner
        self.ledger = ledger
        self.limits = limits
        self.logger = logger
        pool = WorkerPool(
            limits: limits,
            timers: MultiThreadedEventLoopGroup.singleton.next(),
            endings: endings
        )
        environments = Environments(store: store, preload: limits.preload)
        nursery = Nursery(spawner: spawner, environments: environments, limits: limits, logger: logger)
        templates = Templates(spawner: spawner, nursery: nursery, logger: logger)
        answers = AnswerBudget(limits: limits, timers: MultiThreadedEventLoopGroup.singleton.next())
        // Worker conversations block, so each running call has a thread. Builds, which take long, have threads of their own.
        builds = BuildQueue(atOnce: limits.buildsMax, waiting: limits.buildsWaitingMax)
        calls = CallThreads(most: limits.workersMax + 8) { [pool] in pool.isAtRest }
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
        admitted: @escaping @Sendable (Refusal?) -> Void = { _ in }
    ) async -> CallReply {
        await withCheckedContinuation { continuation in
            CallFlow(request, self, admitted: admitted) { continuation.resume(returning: $0) }.begin()
        }
    }

    /// The same for who does not wait in a task.
    ///
    /// - Parameters:
    ///   - request: who calls what with which bytes.
    ///   - finish: told the answer once, on any thread, which it must not keep.
    public func begin(_ request: CallRequest, then finish: @escaping @Sendable (CallReply) -> Void) {
        CallFlow(request, self, admitted: { _ in }, then: finish).begin()
    }

    /// Goes on with a call that has a worker, on a thread that may block.
    func perform(_ flow: CallFlow, _ lease: WorkerPool.Lease) {
        let isTaken = calls.submit {
            var next: (flow: CallFlow, lease: WorkerPool.Lease)? = (flow, lease)
            while let (flow, lease) = next { next = self.serve(flow, lease) }
        }
        guard !isTaken else { return }
        // The daemon is stopping; calls that wait have been refused before, and those that run have threads.
        if case .warm(let worker) = lease { worker.retire() }
        if case .seat(let evicted?) = lease { evicted.retire() }
        let grants = pool.vacate(flow.key)
        flow.settle(Attempt(CallReply(answer: .fault("the daemon is stopping"))))
        endings.submit { _ in self.hand(grants) }
    }

    /// Calls that got a worker, or a seat, because another is done with it.
    func hand(_ grants: some Sequence<(flow: CallFlow, lease: WorkerPool.Lease)>) {
        for grant in grants { perform(grant.flow, grant.lease) }
    }

    /// Serves a call and hands its worker on; returns who got it, to be served on the same thread.
    private func serve(_ flow: CallFlow, _ lease: WorkerPool.Lease) -> (flow: CallFlow, lease: WorkerPool.Lease)? {
        let job = flow.job
        let worker: Worker
        var isWarm = false
        switch lease {
        case .warm(let sleeping):
            worker = sleeping
            isWarm = true
        case .seat(let evicted):
            evicted.map(end)
            switch start(job) {
            case .success(let started):
                worker = started
                pool.started(job.key, seconds: Double((started.startTime + started.loadTime).nanosecondsClamped) / 1e9)
            case .failure(let failure):
                flow.settle(job.attempt(failure))
                return nil
            }
        }
        return run(flow, job, on: worker, isWarm: isWarm)
    }

    /// Runs a call, and those that wait for the same worker, one after another; returns who got the worker in the end.
    ///
    /// A worker that nobody waits for stays awake for a moment: the pool has it frozen when no call comes.
    private func run(
        _ flow: CallFlow,
        _ job: Job,
        on worker: Worker,
        isWarm: Bool
    ) -> (flow: CallFlow, lease: WorkerPool.Lease)? {
        var (flow, job, isWarm) = (flow, job, isWarm)
        while true {
            let leased = Deadline.now
            var following: CallFlow?
            let mayGoOn = job.request.parties.version.isolation != .call
            let result = worker.run(job.exchange(limits, isAlone: pool.isAlone)) { cpu in
                guard mayGoOn else { return .freeze }
                following = pool.next(job.key, Self.service(since: leased, cpu))
                return following == nil ? .stayAwake : .goOn
            }
            let isKept = result.goesOn || result.isReusable && mayGoOn
            // First, so that a caller who calls again at once finds it there.
            let grants = isKept && !result.goesOn ? giveBack(worker, Self.service(since: leased, result.cpu)) : []
            // Not before: on a small machine the old box would be cleared up, and the next made, at this call's expense.
            let afterwards: @Sendable () -> Void = { [self, isWarm] in
                if !isKept { discard(worker) }
                if !isWarm { nursery.tend() }
            }
            // Workers that die in their sleep, one after another, are their author's.
            if case .lost = result.answer, isWarm, flow.mayRetry {
                flow.retry()
                afterwards()
            } else {
                let attempt = job.attempt(result, loaded: isWarm ? nil : worker)
                let isIdle = following == nil && grants.isEmpty && (isKept && isWarm ? pool.isAtRest : pool.isAlone)
                flow.settle(attempt, mayBlock: isIdle, then: afterwards)
            }
            guard let next = following else {
                hand(grants.dropFirst())
                return grants.first
            }
            (flow, job, isWarm) = (next, next.job, true)
        }
    }

    private static func service(since leased: UInt64, _ cpu: Duration) -> PoolService {
        PoolService(seconds: Double(Deadline.now - leased) / 1e9, cpuSeconds: Double(cpu.nanosecondsClamped) / 1e9)
    }

    /// Kills another call's sleeping worker at once, and leaves the waiting for its end to a thread that nobody waits for:
    /// how long the kernel clears up behind a box is in its author's hand.
    func end(_ evicted: Worker) {
        evicted.kill()
        endings.submit { _ in evicted.retire() }
    }

    private func start(_ job: Job) -> Result<Worker, StartFailure> {
        do throws(StartFailure) {
            let order = StartOrder(
                key: job.key,
                version: job.request.workerVersion,
                deadline: min(job.deadline, Deadline(after: limits.loadMax)),
                onTimeout: job.loadTimeout(limits),
                logBytesMax: limits.logBytesMax
            )
            return .success(try templates.worker(order))
        } catch {
            hand(pool.vacate(job.key))
            if case .platform(let cause) = error { logger.error("box failed", metadata: ["error": "\(cause)"]) }
            return .failure(error)
        }
    }

    private func giveBack(_ worker: Worker, _ service: PoolService) -> WorkerPool.Grants {
        var service = service
        service.memoryBytes = worker.memoryBytes
        return pool.giveBack(worker, service)
    }

    /// Ends a worker on a thread of its own; its seat is free when it is gone.
    private func discard(_ worker: Worker) {
        endings.submit { _ in
            worker.retire()
            self.hand(self.pool.vacate(worker.key))
        }
    }

    /// Retires workers that slept for too long.
    ///
    /// Call it from time to time.
    public func retireIdle() async {
        nursery.tend()
        let isShort = HostMemory.isShort
        await retire(pool.takeUnwanted(isShort: isShort))
        try? await threads.runIfActive { self.templates.retire(isShort: isShort) }
    }

    /// Retires the sleeping workers of versions that are gone.
    public func retire(versions: Set<Int64>) async {
        await retire(pool.takeIdle { versions.contains($0.versionID) })
        try? await threads.runIfActive { self.templates.retire(versions: versions) }
    }

    /// Whether any worker of a version is alive, so that its files are still needed.
    public func isInUse(version: Int64) -> Bool { pool.hasSeats(version: version) }

    /// Ends every sleeping worker and then the threads; running calls end first or fail.
    public func shutDown() async {
        await retire(pool.takeIdle())
        await nursery.close()
        try? await threads.runIfActive { self.templates.close() }
        await builds.shutDown()
        calls.close()
        try? await threads.shutdownGracefully()
    }

    private func retire(_ workers: [Worker]) async {
        guard !workers.isEmpty else { return }
        try? await threads.runIfActive {
            for worker in workers {
                worker.retire()
                self.hand(self.pool.vacate(worker.key))
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
