import Synchronization

extension Ledger {
    /// Asks to run a call: holds its worst case, or waits for other calls to give back what it needs.
    ///
    /// The rate is decided at once. Over the number of concurrent calls it waits in line, for at most
    /// `limits.concurrencyWaitMax`. If its worst case does not fit into what is free of the credit, spend caps and CPU
    /// quotas because other calls hold it, it waits for them; if nobody does, it is granted a shorter run. It never waits
    /// past its deadline.
    ///
    /// - Parameter call: the call; its account must have been opened.
    /// - Returns: the hold; give it to ``settle(_:_:)`` or ``release(_:)``.
    /// - Throws: `Refusal` with the rule, its figures and when to retry; a cancelled wait ends with one too.
    public func admit(_ call: CallDescription) async throws(Refusal) -> Hold {
        try checkSuspension()
        let backlog = writer.queue.count
        guard backlog < limits.writerQueueMax else {
            let limit = limits.writerQueueMax
            throw .queueFull(scope: "daemon", limit: limit, value: backlog, what: "operations to record")
        }
        let now = moment
        switch state.withLock({ $0.arrive(call, at: now) }) {
        case .admitted(let held): return try await hold(held)
        case .refused(let refusal): throw refusal
        case .waiting(let pending, let waiter):
            switch await wait(pending, waiter: waiter) {
            case .success(let held):
                // The hold, if it is given up here, gives everything back by its end.
                let hold = try await hold(held)
                try checkSuspension()
                return hold
            case .failure(let refusal): throw refusal
            }
        }
    }

    /// Hands out a hold, a large one only when it is on disk.
    private func hold(_ held: HeldCall) async throws(Refusal) -> Hold {
        let hold = Hold(held, priceVersion: priceVersion, ledger: self)
        guard held.isDurable else { return hold }
        if case .failure(let error) = await perform(.hold(held)) {
            throw .plain(.queueFull, metric: "ledger", scope: "daemon", retryAfterSeconds: 1, message: "\(error)")
        }
        return hold
    }

    private func wait(_ pending: PendingCall, waiter: Waiter) async -> Waiter.Decision {
        let account = pending.call.account
        // Unstructured: the timer must not keep the call waiting once it is decided; it is cancelled below.
        let timer = Task {
            let times = [min(pending.concurrencyDeadline, pending.call.deadline), pending.call.deadline]
            for time in times {
                guard (try? await Task.sleep(until: time, clock: .continuous)) != nil else { return }
                expire(waiter, account: account, isGone: false)
            }
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await waiter.decision()
        } onCancel: {
            expire(waiter, account: account, isGone: true)
        }
    }

    private func expire(_ waiter: Waiter, account: String, isGone: Bool) {
        let now = moment
        let announcements = state.withLock { $0.expire(waiter, account: account, isGone: isGone, at: now) }
        for announcement in announcements { announcement.tell() }
    }

    /// Charges a call that ran.
    ///
    /// The charge never passes the hold: time beyond the grant is the platform's. Cancelling the task changes nothing.
    ///
    /// - Parameters:
    ///   - hold: the call's hold.
    ///   - usage: what was measured.
    ///   - answer: what the call's idempotency key shall remember; nil for a call without one.
    /// - Returns: the receipt, when the commit is on disk.
    /// - Throws: `LedgerError`: `.outcomeUnknown` when the commit failed, `.conflict` when the invocation was charged
    ///   before, `.closed` when the ledger has stopped and nothing was recorded.
    public func settle(
        _ hold: consuming Hold,
        _ usage: UsageRecord,
        keeping answer: KeptAnswer? = nil
    ) async throws(LedgerError) -> Receipt {
        let number = hold.number
        guard let held = state.withLock({ $0.beginSettling(number) }) else {
            throw LedgerError(.conflict, "the hold of \(hold.invocation) was closed before")
        }
        let row = answer?.row(bytesMax: limits.keptAnswerBytesMax)
        let result = await perform(.settle(Settlement(held: held, usage: usage, keeping: row)))
        answer?.claim.end()
        switch result {
        case .success(.receipt(let receipt)): return receipt
        case .success: throw LedgerError(.conflict, "the writer answered a settlement with something else")
        case .failure(let error):
            end(number) { $0.close($1) }
            throw error
        }
    }

    /// Gives a hold back: nothing ran, nothing is charged or recorded.
    ///
    /// - Parameter hold: the call's hold.
    public func release(_ hold: consuming Hold) {
        // The hold ends here, and its end gives it back.
    }

    /// Gives a hold back that is not being settled; called by the end of every ``Hold``.
    func void(_ number: UInt64) {
        end(number) { $0.void($1) }
    }

    private func end(_ number: UInt64, by close: (inout AdmissionState, UInt64) -> HeldCall?) {
        let now = moment
        let (announcements, drainers) = state.withLock { state in
            guard let held = close(&state, number) else { return ([Announcement](), state.takeDrainers()) }
            // No one waits for it: what is lost with the process is voided by the next one.
            if held.isDurable, !held.isSettling {
                _ = writer.queue.append(Operation(action: .void(held.pending.call.invocation), reply: nil))
            }
            let account = held.pending.call.account
            let told = state.advance(released: held.pending.scopes, accounts: [account], at: now)
            return (told, state.takeDrainers())
        }
        for announcement in announcements { announcement.tell() }
        for drainer in drainers { drainer.resume() }
    }

    /// Takes over what a commit has changed, and lets waiting calls move up.
    func publish(_ changes: CommittedChanges) {
        let now = moment
        let (announcements, drainers) = state.withLock { state in
            let told = state.apply(changes, thenAdvanceAt: now)
            return (told, state.takeDrainers())
        }
        for announcement in announcements { announcement.tell() }
        for drainer in drainers { drainer.resume() }
    }
}
