import Synchronization

/// The calls that wait for admission: one line per account, in order of arrival.
struct WaitingLines: Sendable {
    struct Entry: Sendable {
        let ticket: UInt64
        let pending: PendingCall
        let waiter: Waiter
        var reason: WaitReason
    }

    private(set) var lines: [String: [Entry]] = [:]
    /// How many calls wait on each scope, and the latest reason; a newcomer under it does not overtake them.
    private var waiting: [String: (count: Int, reason: WaitReason)] = [:]
    private var lastTicket: UInt64 = 0

    func count(_ account: String) -> Int { lines[account]?.count ?? 0 }

    /// Calls waiting, over all accounts.
    private(set) var total = 0

    func contention(_ scope: String) -> WaitReason? { waiting[scope]?.reason }

    mutating func append(_ pending: PendingCall, waiter: Waiter, reason: WaitReason) {
        lastTicket += 1
        let entry = Entry(ticket: lastTicket, pending: pending, waiter: waiter, reason: reason)
        lines[pending.call.account, default: []].append(entry)
        join(reason)
    }

    /// Takes an account's line out, to be put back by ``restore(_:_:)`` after it has been gone through.
    mutating func take(_ account: String) -> [Entry] {
        let line = lines.removeValue(forKey: account) ?? []
        for entry in line { leave(entry.reason.scope) }
        return line
    }

    mutating func restore(_ account: String, _ line: [Entry]) {
        guard !line.isEmpty else { return }
        for entry in line { join(entry.reason) }
        lines[account] = line
    }

    /// Accounts that have a line, the one whose first call came earliest first.
    func accountsByArrival() -> [String] {
        lines.compactMap { account, line in line.first.map { (account, $0.ticket) } }
            .sorted { $0.1 < $1.1 }
            .map(\.0)
    }

    private mutating func join(_ reason: WaitReason) {
        total += 1
        waiting[reason.scope, default: (0, reason)].count += 1
        waiting[reason.scope]?.reason = reason
    }

    private mutating func leave(_ scope: String) {
        total -= 1
        guard let entry = waiting[scope] else { return }
        waiting[scope] = entry.count > 1 ? (entry.count - 1, entry.reason) : nil
    }
}

/// One call that waits: resumed exactly once, with its hold or its refusal.
final class Waiter: Sendable {
    typealias Decision = Result<HeldCall, Refusal>

    private enum State {
        case undecided
        case waiting(CheckedContinuation<Decision, Never>)
        case decided(Decision)
    }

    private let state = Mutex(State.undecided)

    /// Waits for the decision; one caller only.
    func decision() async -> Decision {
        await withCheckedContinuation { continuation in
            let decided: Decision? = state.withLock { state in
                if case .decided(let decision) = state { return decision }
                state = .waiting(continuation)
                return nil
            }
            if let decided { continuation.resume(returning: decided) }
        }
    }

    /// Decides; called once, by whoever took the call out of its line.
    func decide(_ decision: Decision) {
        let continuation: CheckedContinuation<Decision, Never>? = state.withLock { state in
            defer { state = .decided(decision) }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume(returning: decision)
    }
}
