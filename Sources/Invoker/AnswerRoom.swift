internal import NIOCore
internal import Synchronization

/// Room in memory for one answer: for the largest there may be while its call runs, then for what it has come to.
///
/// It is given back when nobody refers to it any more, so whoever writes the answer keeps it until the last byte left.
public final class AnswerRoom: Sendable {
    private let budget: AnswerBudget
    private let account: String
    private let bytes: Mutex<Int>

    fileprivate init(_ budget: AnswerBudget, _ account: String, bytes: Int) {
        self.budget = budget
        self.account = account
        self.bytes = Mutex(bytes)
    }

    deinit { budget.give(bytes.withLock { $0 }, account) }

    /// Gives back all but so many bytes.
    func shrink(to count: Int) {
        let free = bytes.withLock { bytes in
            let free = max(0, bytes - count)
            bytes -= free
            return free
        }
        budget.give(free, account)
    }

    /// Does nothing but exist, so that the room does too.
    public func keepUntilHere() {}
}

/// The memory for answers, of calls that run and of clients that have not read theirs: `AnswerRoomState` decides, this
/// class acts.
final class AnswerBudget: Sendable {
    /// Why a call gets no room.
    enum Refusal: Error, Sendable {
        case queueFull(waiting: Int)
        case deadline(AnswerRoomState.Shortage)
    }

    private struct State: Sendable {
        var decisions: AnswerRoomState
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
        var alarms: [Int: Scheduled<Void>] = [:]
    }

    /// The room that one running call takes: its result, and what it prints.
    let answerBytes: Int
    private let state: Mutex<State>
    private let timers: any EventLoop

    init(limits: Limits, timers: any EventLoop) {
        answerBytes = limits.outputBytesMax + limits.logBytesMax
        let decisions = AnswerRoomState(
            bytesMax: limits.answerBytesMax,
            accountBytesMax: limits.answerBytesMax / 2,
            waitersMax: limits.waitersMax
        )
        state = Mutex(State(decisions: decisions))
        self.timers = timers
    }

    /// Bytes taken just now, for the metrics.
    var takenBytes: Int { state.withLock { $0.decisions.takenBytes } }

    /// Room for an answer if there is some at once; nil when it must be waited for.
    func roomNow(for account: String) -> AnswerRoom? {
        guard state.withLock({ $0.decisions.takeNow(answerBytes, account) }) else { return nil }
        return AnswerRoom(self, account, bytes: answerBytes)
    }

    /// Waits for room for an answer, in order of arrival, until the deadline.
    func room(for account: String, deadline: Deadline) async throws(Refusal) -> AnswerRoom {
        let full = Mutex<Int?>(nil)
        let isGranted = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let decision = state.withLock { state in
                let decision = state.decisions.take(answerBytes, account)
                if case .wait(let ticket) = decision { state.waiting[ticket] = continuation }
                return decision
            }
            switch decision {
            case .granted: continuation.resume(returning: true)
            case .wait(let ticket): arm(ticket, deadline)
            case .refused(let waiting):
                full.withLock { $0 = waiting }
                continuation.resume(returning: false)
            }
        }
        if isGranted { return AnswerRoom(self, account, bytes: answerBytes) }
        if let waiting = full.withLock({ $0 }) { throw .queueFull(waiting: waiting) }
        throw .deadline(state.withLock { $0.decisions.shortage(answerBytes, account) })
    }

    fileprivate func give(_ bytes: Int, _ account: String) {
        guard bytes > 0 else { return }
        let served = state.withLock { state in
            state.decisions.give(bytes, account).map { ticket in
                state.alarms.removeValue(forKey: ticket)?.cancel()
                guard let continuation = state.waiting.removeValue(forKey: ticket) else {
                    preconditionFailure("ticket \(ticket) was served and nobody holds it")
                }
                return continuation
            }
        }
        for continuation in served { continuation.resume(returning: true) }
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
            return state.decisions.abandon(ticket) ? state.waiting.removeValue(forKey: ticket) : nil
        }
        continuation?.resume(returning: false)
    }
}
