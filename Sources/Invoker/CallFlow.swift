internal import Billing
internal import Catalog
internal import Logging
internal import NIOPosix
internal import Synchronization

/// One call from admission to its answer: each step begins the next, and no thread waits with it.
///
/// Hold, room for the answer, a worker, the run, the charge, the answer. What is to be had at once is had without leaving
/// the thread that asks; see docs/decisions/0019.
///
/// @unchecked: one step runs at a time; whatever hands it on, a pool or a queue, takes a lock in between.
final class CallFlow: @unchecked Sendable {
    let request: CallRequest
    let key: PoolKey
    let deadline: Deadline
    private let invoker: Invoker
    private let arrived = Deadline.now
    private let admitted: @Sendable (Refusal?) -> Void
    private let finish: @Sendable (CallReply) -> Void
    private var waiting: WaitingCall?
    private var hold: Hold?
    private var granted: Duration = .zero
    private var ceilingBinds = false
    private var room: AnswerRoom?
    /// Its place in its account's line when it came; 0 when it did not have to wait.
    ///
    /// Written by the pool, with its lock held, before anybody else can have the call.
    var position = 0
    /// How many sleeping workers may still turn out to be dead before the next one's end counts as the call's.
    private var retriesLeft = 2

    /// - Parameters:
    ///   - request: who calls what with which bytes.
    ///   - invoker: has all that a call needs.
    ///   - admitted: told once whether the call was let in, before it runs; nil is yes.
    ///   - finish: told once, on any thread, which it must not keep.
    init(
        _ request: CallRequest,
        _ invoker: Invoker,
        admitted: @escaping @Sendable (Refusal?) -> Void,
        then finish: @escaping @Sendable (CallReply) -> Void
    ) {
        self.request = request
        self.invoker = invoker
        self.admitted = admitted
        self.finish = finish
        deadline = Deadline(after: .seconds(request.timeout.seconds))
        key = request.parties.key
    }

    /// Asks the ledger.
    func begin() {
        switch invoker.ledger.arrive(request.description(deadline)) {
        case .admitted(let hold): findRoom(hold)
        case .refused(let refusal): refuse(refusal)
        case .waits(let waiting):
            self.waiting = consume waiting
            // Unstructured: it ends by its deadline.
            Task { await waitForAdmission() }
        }
    }

    private func waitForAdmission() async {
        guard let waiting = waiting.take() else { return }
        do throws(Refusal) { findRoom(try await invoker.ledger.hold(for: waiting)) } catch { refuse(error) }
    }

    private func refuse(_ refusal: Refusal) {
        admitted(refusal)
        invoker.metrics.refused(refusal.kind)
        finish(CallReply(answer: .refused(refusal), queue: waited))
    }

    private var waited: Duration { .nanoseconds(Int64(Deadline.now - arrived)) }

    /// Room for the largest answer it may have, so that no answer is lost for want of it.
    private func findRoom(_ hold: consuming Hold) {
        (granted, ceilingBinds) = (hold.wallGranted, hold.ceilingBinds)
        self.hold = consume hold
        invoker.pool.underWay.add(1, ordering: .relaxed)
        admitted(nil)
        room = invoker.answers.roomNow(for: request.account)
        guard room == nil else { return findWorker() }
        // Unstructured: it ends by its deadline.
        Task {
            do throws(AnswerBudget.Refusal) {
                room = try await invoker.answers.room(for: request.account, deadline: deadline)
                findWorker()
            } catch { settle(Attempt(CallReply(answer: request.noRoom(error), queue: waited))) }
        }
    }

    private func findWorker() {
        switch invoker.pool.lease(key, for: self) {
        case .granted(let lease): invoker.perform(self, lease)
        case .waits: break
        case .refused(let fullness): lacksWorker(.queueFull(fullness))
        }
    }

    /// It got what it waited for.
    func goOn(_ lease: WorkerPool.Lease) { invoker.perform(self, lease) }

    /// It got no worker.
    func lacksWorker(_ refusal: WorkerPool.Refusal) {
        settle(Attempt(CallReply(answer: request.noWorker(refusal), queue: waited)))
    }

    /// What is to be done with a worker that was leased just now.
    var job: Job {
        Job(
            request: request,
            key: key,
            deadline: deadline,
            granted: granted,
            ceilingBinds: ceilingBinds,
            queue: waited
        )
    }

    /// Whether another worker may be tried when a sleeping one turns out to be dead.
    var mayRetry: Bool { retriesLeft > 0 }

    /// Tries another worker.
    func retry() {
        retriesLeft -= 1
        findWorker()
    }

    /// Charges what came of it; the answer leaves once that is durable.
    ///
    /// - Parameters:
    ///   - attempt: what it was.
    ///   - mayBlock: whether the calling thread has nothing else to do.
    ///   - afterwards: what can wait until the answer has left; on any thread, which it must not keep.
    func settle(_ attempt: Attempt, mayBlock: Bool = false, then afterwards: @escaping @Sendable () -> Void = {}) {
        guard let hold = hold.take() else { preconditionFailure("call \(request.invocation) is settled twice") }
        var reply = attempt.reply
        reply.queuePosition = position
        let usage = request.usage(attempt)
        room?.shrink(to: reply.bytes)
        (reply.room, room) = (room, nil)
        let bytesMax = invoker.ledger.limits.keptAnswerBytesMax
        let kept = request.claim.flatMap { KeptCall.answer(reply, to: $0, usage.outcome, bytesMax: bytesMax) }
        let (ran, answered) = (Deadline.now, reply)
        invoker.ledger.settle(hold, usage, keeping: kept, mayLead: mayBlock) { [self] result in
            var reply = answered
            switch result {
            case .success(let receipt): reply.receipt = receipt
            case .failure(let error): unsettled(&reply, error)
            }
            reply.commit = .nanoseconds(Int64(Deadline.now - ran))
            invoker.metrics.record(reply, usage.outcome)
            finish(reply)
            invoker.pool.underWay.subtract(1, ordering: .relaxed)
            afterwards()
        }
    }

    private func unsettled(_ reply: inout CallReply, _ error: LedgerError) {
        invoker.logger.error(
            "settlement failed",
            metadata: ["call": "\(request.invocation)", "error": "\(error)"]
        )
        reply.answer = .outcomeUnknown
    }
}
