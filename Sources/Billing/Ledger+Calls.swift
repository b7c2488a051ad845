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
        switch arrive(call) {
        case .admitted(let hold): return hold
        case .refused(let refusal): throw refusal
        case .waits(let waiting): return try await hold(for: waiting)
        }
    }

    /// Asks to run a call, and says at once what can be said at once; see ``admit(_:)``.
    ///
    /// - Parameter call: the call; its account must have been opened.
    /// - Returns: the hold, the refusal, or a place in the line, which must be waited for.
    public func arrive(_ call: CallDescription) -> Admission {
        do throws(Refusal) { try checkSuspension() } catch { return .refused(error) }
        let backlog = writer.queue.count
        guard backlog < limits.writerQueueMax else {
            let limit = limits.writerQueueMax
            return .refused(.queueFull(scope: "daemon", limit: limit, value: backlog, what: "operations to record"))
        }
        let now = moment
        switch state.withLock({ $0.arrive(call, at: now) }) {
        case .admitted(let held):
            let hold = Hold(held, priceVersion: priceVersion, ledger: self)
            return held.isDurable ? .waits(WaitingCall(.forDisk(hold))) : .admitted(hold)
        case .refused(let refusal): return .refused(refusal)
        case .waiting(let pending, let waiter): return .waits(WaitingCall(.inLine(pending, waiter)))
        }
    }

    /// Waits for the decision about a call that could not be admitted at once.
    ///
    /// - Parameter waiting: the call's place in the line.
    /// - Returns: the hold.
    /// - Throws: `Refusal` with the rule, its figures and when to retry; a cancelled wait ends with one too.
    public func hold(for waiting: consuming WaitingCall) async throws(Refusal) -> Hold {
        switch consume waiting.reason {
        case .forDisk(let hold): return try await putOnDisk(hold)
        case .inLine(let pending, let waiter):
            switch await wait(pending, waiter: waiter) {
            case .success(let held):
                // The hold, if it is given up here, gives everything back by its end.
                var hold = Hold(held, priceVersion: priceVersion, ledger: self)
                if held.isDurable { hold = try await putOnDisk(hold) }
                try checkSuspension()
                return hold
            case .failure(let refusal): throw refusal
            }
        }
    }

    /// Hands out a large hold only when it is on disk.
    private func putOnDisk(_ hold: consuming Hold) async throws(Refusal) -> Hold {
        if case .failure(let error) = await perform(.hold(hold.held)) {
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
        let settlement = try beginSettling(hold, usage, answer)
        return try settled(await perform(.settle(settlement)), settlement, answer).get()
    }

    /// The same for who does not wait in a task.
    ///
    /// - Parameters:
    ///   - hold: the call's hold.
    ///   - usage: what was measured.
    ///   - answer: what the call's idempotency key shall remember; nil for a call without one.
    ///   - mayLead: whether the calling thread may be blocked for as long as a commit takes, which is sooner than to have
    ///     another thread do it.
    ///   - finish: told once, mostly on the writer's thread, which it must not keep: the receipt when the commit is on
    ///     disk, or what ``settle(_:_:keeping:)`` throws.
    public func settle(
        _ hold: consuming Hold,
        _ usage: UsageRecord,
        keeping answer: KeptAnswer? = nil,
        mayLead: Bool = false,
        then finish: @escaping @Sendable (Result<Receipt, LedgerError>) -> Void
    ) {
        let settlement: Settlement
        do throws(LedgerError) { settlement = try beginSettling(hold, usage, answer) } catch {
            return finish(.failure(error))
        }
        perform(.settle(settlement), mayLead: mayLead) { [self] in finish(settled($0, settlement, answer)) }
    }

    private func beginSettling(
        _ hold: consuming Hold,
        _ usage: UsageRecord,
        _ answer: KeptAnswer?
    ) throws(LedgerError) -> Settlement {
        let number = hold.number
        guard let held = state.withLock({ $0.beginSettling(number) }) else {
            throw LedgerError(.conflict, "the hold of \(hold.invocation) was closed before")
        }
        hold.isOver = true
        return Settlement(held: held, usage: usage, keeping: answer?.row(bytesMax: limits.keptAnswerBytesMax))
    }

    private func settled(
        _ result: Result<Operation.Answer, LedgerError>,
        _ settlement: Settlement,
        _ answer: KeptAnswer?
    ) -> Result<Receipt, LedgerError> {
        answer?.claim.end()
        switch result {
        case .success(.receipt(let receipt)): return .success(receipt)
        case .success:
            return .failure(LedgerError(.conflict, "the writer answered a settlement with something else"))
        case .failure(let error):
            end(settlement.held.number) { $0.close($1) }
            return .failure(error)
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
