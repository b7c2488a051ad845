/// A decision about a waiting call, to be told after unlocking.
struct Announcement: Sendable {
    let waiter: Waiter
    let decision: Waiter.Decision

    func tell() { waiter.decide(decision) }
}

/// What becomes of a call on its arrival.
enum Arrival: Sendable {
    case admitted(HeldCall)
    case refused(Refusal)
    case waiting(PendingCall, Waiter)
}

extension AdmissionState {
    /// Judges an arriving call: rate, then everything else; it never overtakes calls that wait under the same scope.
    mutating func arrive(_ call: CallDescription, at moment: Moment) -> Arrival {
        guard !isDraining else { return .refused(.draining()) }
        guard let account = accounts[call.account] else { return .refused(.accountUnknown(call.account)) }
        if !account.flags.isDisjoint(with: [.frozen, .closed]) {
            return .refused(.frozen(call.account, isClosed: account.flags.contains(.closed)))
        }
        let pending = PendingCall(
            call: call,
            accountID: account.id,
            royalty: royalties[call.versionID],
            prices: prices,
            concurrencyDeadline: moment.instant + limits.concurrencyWaitMax
        )
        let now = max(moment.unixMicroseconds, ledgerMicroseconds)
        if !unpaid.isEmpty, let refusal = checkAllowances(pending, at: now) { return .refused(refusal) }
        if let refusal = takeRate(pending.scopes, now: moment.monotonicNanoseconds) { return .refused(refusal) }
        guard holds.count < limits.holdsMax else {
            let count = holds.count
            return .refused(.queueFull(scope: "daemon", limit: limits.holdsMax, value: count, what: "calls admitted"))
        }
        let reason: WaitReason
        switch verdict(pending, at: moment) {
        case .refuse(let refusal): return .refused(refusal)
        case .wait(let found): reason = found
        case .admit(let wall, let ceiling):
            guard let contention = pending.scopes.lazy.compactMap(lines.contention).first else {
                return .admitted(hold(pending, wall: wall, ceiling: ceiling))
            }
            reason = contention
        }
        return wait(pending, reason: reason, at: moment)
    }

    private mutating func wait(_ pending: PendingCall, reason: WaitReason, at moment: Moment) -> Arrival {
        guard moment.instant < pending.call.deadline else {
            return .refused(overdue(pending, reason: reason, at: moment))
        }
        let count = lines.count(pending.call.account)
        guard count < limits.waitingCallsMax else {
            let scope = pending.accountScope
            return .refused(
                .queueFull(scope: scope, limit: limits.waitingCallsMax, value: count, what: "calls waiting")
            )
        }
        let waiter = Waiter()
        lines.append(pending, waiter: waiter, reason: reason)
        return .waiting(pending, waiter)
    }

    /// Goes through the lines that something given back may concern.
    ///
    /// - Parameters:
    ///   - released: the scopes in which money, time or places became free.
    ///   - accounts: the accounts whose own line is looked at in any case.
    ///   - moment: now.
    /// - Returns: who has been decided, to be told after unlocking.
    mutating func advance(released: some Sequence<String>, accounts: Set<String>, at moment: Moment) -> [Announcement] {
        var announcements: [Announcement] = []
        var blocked: Set<String> = []
        let shared = released.contains { !$0.hasPrefix("account:") && lines.contention($0) != nil }
        let concerned = shared ? lines.accountsByArrival() : accounts.filter { lines.count($0) > 0 }
        for account in concerned { advance(account, blocked: &blocked, at: moment, into: &announcements) }
        return announcements
    }

    /// Goes through all lines, after a limit has changed or the ledger has stopped.
    mutating func advanceAll(at moment: Moment) -> [Announcement] {
        var announcements: [Announcement] = []
        var blocked: Set<String> = []
        for account in lines.accountsByArrival() {
            advance(account, blocked: &blocked, at: moment, into: &announcements)
        }
        return announcements
    }

    /// In order of arrival: a call that must wait blocks its scope for those behind it, and nothing else.
    private mutating func advance(
        _ account: String,
        blocked: inout Set<String>,
        at moment: Moment,
        into announcements: inout [Announcement]
    ) {
        let line = lines.take(account)
        // A call that waits on the account's own scope blocks the whole rest of the line.
        let whole = "account:\(account)"
        var kept: [WaitingLines.Entry] = []
        var index = 0
        while index < line.count, !blocked.contains(whole) {
            var entry = line[index]
            index += 1
            switch verdict(inLine: entry, blocked: blocked, at: moment) {
            case .admit(let wall, let ceiling):
                let held = hold(entry.pending, wall: wall, ceiling: ceiling)
                announcements.append(Announcement(waiter: entry.waiter, decision: .success(held)))
            case .refuse(let refusal):
                announcements.append(Announcement(waiter: entry.waiter, decision: .failure(refusal)))
            case .wait(let reason):
                entry.reason = reason
                blocked.insert(reason.scope)
                kept.append(entry)
            }
        }
        kept += line[index...]
        lines.restore(account, kept)
    }

    private func verdict(inLine entry: WaitingLines.Entry, blocked: Set<String>, at moment: Moment) -> Verdict {
        if isDraining { return .refuse(.draining()) }
        if let scope = entry.pending.scopes.first(where: blocked.contains) {
            return .wait(lines.contention(scope) ?? entry.reason)
        }
        return verdict(entry.pending, at: moment)
    }

    /// Refuses a waiting call whose time is over (or whose caller has gone), and lets those behind it move up.
    mutating func expire(_ waiter: Waiter, account: String, isGone: Bool, at moment: Moment) -> [Announcement] {
        var line = lines.take(account)
        var announcements: [Announcement] = []
        if let index = line.firstIndex(where: { $0.waiter === waiter }) {
            let entry = line[index]
            let isLate = moment.instant >= entry.pending.call.deadline
            let isQueued = entry.reason.isConcurrency && moment.instant >= entry.pending.concurrencyDeadline
            if isGone || isLate || isQueued {
                line.remove(at: index)
                let refusal = overdue(entry.pending, reason: entry.reason, at: moment)
                announcements.append(Announcement(waiter: waiter, decision: .failure(refusal)))
            }
        }
        lines.restore(account, line)
        return announcements + advanceAll(at: moment)
    }
}
