internal import Billing
internal import Glibc
internal import NIOCore
internal import Sandbox

/// What is asked of a worker.
struct ExchangeCall: Sendable {
    var kind: ContentKind
    var input: ByteBuffer
    /// When the call must be over.
    var deadline: Deadline
    /// How long it may run, by what its hold pays for.
    var wallGranted: Duration
    /// Whether no other call runs, so that a processor may look out for the answer for a moment.
    var isAlone = false
    /// What it means when time runs out: the caller's timeout, the version's, or the ceiling of the hold.
    var onTimeout: @Sendable (_ ceiling: Bool) -> Failure
    var outputBytesMax: Int
    var logBytesMax: Int
}

/// What came of it, and what it used by the kernel's and the daemon's own measure.
struct ExchangeResult: Sendable {
    enum Answer: Sendable {
        case value(ContentKind, ByteBuffer)
        case failure(Failure)
        /// The worker was gone before anything was sent; another one may be tried.
        case lost
    }

    var answer: Answer
    var isReusable: Bool
    /// Whether the worker runs on, because its next call is there.
    var goesOn = false
    /// Whether it was left running: it goes on, or the pool will freeze it when no call comes.
    var isAwake = false
    var wall: Duration = .zero
    var freeze: Duration = .zero
    var cpu: Duration = .zero
    var memoryPeakBytes: UInt64 = 0
    var log = ""
    /// How a worker ended that was gone before it was told anything.
    var lostTo: Death.Cause?

    static let lost = ExchangeResult(answer: .lost, isReusable: false)
}

/// One call on one worker: thaw, send, receive, meter, judge; and freeze, unless it stays awake for the next.
///
/// Blocks its thread.
struct Exchange: ~Copyable {
    static let errorBytesMax = 12 + 2 * ReportedError.messageBytesMax + ReportedError.stackTraceBytesMax

    private let call: ExchangeCall
    private let limits: BoxLimits
    private var death: Death?
    /// What the kernel had counted of the box when its last call was told; nil before the first.
    private(set) var told: Counted?
    private var cpuBefore: UInt64 = 0

    /// Counters of the kernel's when the last call was told.
    struct Counted: Sendable {
        /// CPU time up to which calls were told; nil where callers share a worker, and it is the house's.
        var cpuMicros: UInt64?
        var oomKills: UInt64
        var pidsRefused: UInt64
    }

    init(call: ExchangeCall, limits: BoxLimits, told: Counted?) {
        self.call = call
        self.limits = limits
        self.told = told
    }

    /// What a worker does that has answered and may serve another call.
    enum Then {
        /// It serves one that is there.
        case goOn
        /// It waits for one, for a moment without being frozen.
        case stayAwake
        case freeze
    }

    /// Talks to the box and judges what was seen.
    ///
    /// - Parameters:
    ///   - box: frozen, or about to be, unless it is awake.
    ///   - isAwake: whether it was left running, by the call before or by its start.
    ///   - then: asked once it may serve another call, with the CPU time of this one, what it does then.
    /// - Returns: what was seen, without what only the end of the box can tell.
    mutating func run(_ box: borrowing Box, isAwake: Bool, then: (Duration) -> Then) -> ExchangeResult {
        cpuBefore = told?.cpuMicros ?? box.cpuMicros
        // One that would not stand still has been running unmetered; another may be tried.
        guard !box.hasEnded, isAwake || box.awaitFrozen() else { return .lost }
        // Before it runs again: what its threads burn from the first instant on belongs to this call.
        let cpuAtThaw = isAwake ? cpuBefore : box.cpuMicros
        if !isAwake { box.thaw() }
        // Of one that stood still they are read anew: the kernel may have had to find memory for the host.
        let before = Evidence(
            oomKills: isAwake ? told?.oomKills ?? box.oomKills : box.oomKills,
            pidsRefused: isAwake ? told?.pidsRefused ?? box.pidsRefused : box.pidsRefused
        )
        let ceiling = Deadline(after: call.wallGranted)
        var conversation = conversation(until: min(call.deadline, ceiling))
        let began = Deadline.now
        let event = conversation.next(box)
        let ended = Deadline.now
        var seen = Seen(event: event, before: before, cpuAtThaw: cpuAtThaw, ceilingFirst: ceiling < call.deadline)
        if canGoOn(event) {
            conversation.drainLogsOfAnswer(box)
            var result = examine(box, &seen, conversation.hasStrayBytes(box))
            let next = result.isReusable ? then(result.cpu) : .freeze
            if next != .freeze {
                (result.goesOn, result.isAwake) = (next == .goOn, true)
                result.wall = .nanoseconds(Int64(ended - began))
                result.log = conversation.log.text
                return result
            }
        }
        let isFrozen = stop(box, after: event)
        let still = Deadline.now
        conversation.drainLogs(box)
        var result = examine(box, &seen, conversation.hasStrayBytes(box))
        result.isReusable = result.isReusable && isFrozen
        result.wall = .nanoseconds(Int64(ended - began))
        result.freeze = .nanoseconds(Int64(still - ended))
        result.log = conversation.log.text
        return result
    }

    private func conversation(until deadline: Deadline) -> Conversation {
        let outputMax = call.outputBytesMax
        return Conversation(
            .call,
            flags: call.kind.rawValue,
            payload: call.input,
            logBytesMax: call.logBytesMax,
            deadline: deadline,
            watches: call.isAlone
        ) { reply in
            switch reply {
            case .result: outputMax
            case .error: Self.errorBytesMax
            case .childEnded: 4
            default: nil
            }
        }
    }

    /// What a call was seen to do, for its judgement.
    private struct Seen {
        let event: Conversation.Event
        let before: Evidence
        let cpuAtThaw: UInt64
        let ceilingFirst: Bool
        /// The result, once it has been looked at: scanning it twice would cost as much again.
        var accepted: ExchangeResult.Answer?
    }

    private func canGoOn(_ event: Conversation.Event) -> Bool {
        switch event {
        case .frame(.result, let flags, _), .frame(.error, let flags, _): flags & FrameHeader.lastAnswer == 0
        default: false
        }
    }

    /// Reads the counters and judges by them.
    private mutating func examine(_ box: borrowing Box, _ seen: inout Seen, _ hasStray: Bool) -> ExchangeResult {
        var result = ExchangeResult(answer: .lost, isReusable: false)
        let (cpuAfter, oomKills, pidsRefused) = (box.cpuMicros, box.oomKills, box.pidsRefused)
        result.cpu = .microseconds(Int64(clamping: cpuAfter.since(cpuBefore)))
        told = Counted(cpuMicros: max(cpuAfter, cpuBefore), oomKills: oomKills, pidsRefused: pidsRefused)
        let evidence = Evidence(
            oomKills: oomKills.since(seen.before.oomKills),
            pidsRefused: pidsRefused.since(seen.before.pidsRefused),
            tmpIsFull: box.tmpIsFull
        )
        result.answer = .failure(judge(seen.event, evidence, ceilingFirst: seen.ceilingFirst))
        if case .frame(.result, let flags, let payload) = seen.event, evidence.oomKills == 0 {
            let answer = seen.accepted ?? accept(flags, payload)
            (seen.accepted, result.answer) = (answer, answer)
        }
        if case .frame(.childEnded, FrameHeader.beforeTheCall, let payload) = seen.event,
            .microseconds(Int64(clamping: cpuAfter.since(seen.cpuAtThaw))) < Self.noticeMax
        {
            result.answer = .lost
            result.lostTo = Death.Cause(reported: payload)
        }
        if hasStray, case .frame = seen.event {
            result.answer = .failure(Verdict.protocolViolation("bytes behind the answer"))
        }
        result.isReusable = !hasStray && evidence == Evidence() && isReusable(seen.event, result.answer)
        return result
    }

    /// Ends a box that is not kept, and keeps how it ended for `finish`.
    mutating func end(_ box: consuming Box) { death = try? box.destroy() }

    /// Completes a result with what only the end of the box could tell.
    consuming func finish(_ result: ExchangeResult) -> ExchangeResult {
        var result = result
        guard let death else {
            if case .failure(let failure) = result.answer, failure.type == Self.undecided {
                result.answer = .failure(Verdict.spawnerGone)
            }
            return result
        }
        result.memoryPeakBytes = death.memoryPeakBytes
        if case .lost = result.answer, result.lostTo == nil { result.lostTo = death.cause }
        result.cpu = max(result.cpu, .microseconds(Int64(clamping: death.cpuMicros.since(cpuBefore))))
        if case .failure(let failure) = result.answer, failure.type == Self.undecided {
            let evidence = Evidence(oomKills: death.oomKills, pidsRefused: 0, tmpIsFull: false)
            // Process 1 cannot kill itself: it was our kill that ended it, so it did go on.
            let wentOn = failure.message == Conversation.wentOn && death.cause == .signaled(9) && death.oomKills == 0
            result.answer = .failure(
                wentOn
                    ? Verdict.protocolViolation(failure.message)
                    : Verdict.death(death.cause, evidence, limits: limits)
            )
        }
        return result
    }

    /// A box that answered is frozen, so that nothing runs unmetered; one that did not is killed at once.
    private func stop(_ box: borrowing Box, after event: Conversation.Event) -> Bool {
        if case .frame = event { return box.freeze() && !box.hasEnded }
        box.kill()
        return false
    }

    /// CPU time in which a worker notices that its child is gone; one that took more has worked, and pays for it.
    private static let noticeMax = Duration.milliseconds(20)

    private static let undecided = "undecided"

    private func judge(_ event: Conversation.Event, _ evidence: Evidence, ceilingFirst: Bool) -> Failure {
        if case .deadline = event {
            // A fork bomb that hits its limit and goes on trying ends here; its limit is the better reason.
            if evidence.pidsRefused > 0, let limit = Verdict.limit(evidence, limits) { return limit }
            return call.onTimeout(ceilingFirst)
        }
        if let limit = Verdict.limit(evidence, limits) { return limit }
        switch event {
        case .frame(.error, _, let payload):
            guard let error = ReportedError(payload) else {
                return Verdict.protocolViolation("an error frame cut short")
            }
            return Verdict.reported(error)
        case .frame(.childEnded, _, let payload):
            return Verdict.death(Death.Cause(reported: payload), evidence, limits: limits)
        // The kernel closes pipes before it clears up, which may take longer than we waited.
        case .violation(Conversation.wentOn):
            return Failure(outcome: .signal, type: Self.undecided, message: Conversation.wentOn)
        case .violation(let detail): return Verdict.protocolViolation(detail)
        case .tooLarge(let bytes, let limit): return Verdict.outputTooLarge(bytes, limit: limit)
        case .outOfMemory: return Verdict.limit(Evidence(oomKills: 1), limits) ?? Verdict.protocolViolation("")
        default: return Failure(outcome: .signal, type: Self.undecided, message: "")
        }
    }

    /// A result is taken only if it is what it says it is; this scan is what keeps it inside its place in the answer.
    private func accept(_ flags: UInt8, _ payload: ByteBuffer) -> ExchangeResult.Answer {
        guard let kind = ContentKind(rawValue: flags & ~FrameHeader.lastAnswer) else {
            return .failure(Verdict.protocolViolation("a result of unknown kind \(flags)"))
        }
        do {
            switch kind {
            case .json:
                try payload.withUnsafeReadableBytes { (bytes) throws(JSONScanner.Problem) in
                    try JSONScanner.check(bytes)
                }
            case .text:
                guard payload.withUnsafeReadableBytes(UTF8Check.isValid) else {
                    return .failure(Verdict.protocolViolation("a text result that is not UTF-8"))
                }
            case .binary: break
            }
            return .value(kind, payload)
        } catch {
            return .failure(Verdict.protocolViolation("a JSON result that is not JSON: \(error)"))
        }
    }

    private func isReusable(_ event: Conversation.Event, _ answer: ExchangeResult.Answer) -> Bool {
        switch (event, answer) {
        case (.frame(.result, let flags, _), .value): flags & FrameHeader.lastAnswer == 0
        case (.frame(.error, let flags, _), .failure(let failure)):
            failure.outcome != .badOutput && flags & FrameHeader.lastAnswer == 0
        default: false
        }
    }
}

extension UInt64 {
    /// How far a counter of the kernel went since an earlier reading; 0 when it cannot be read any more.
    fileprivate func since(_ earlier: UInt64) -> UInt64 { self > earlier ? self - earlier : 0 }
}

extension Death.Cause {
    /// What a worker says of the end of its child: an exit status, or minus a signal; 32 bits, little-endian.
    ///
    /// The author's word, in effect: it decides between kinds of failure that all are the author's.
    fileprivate init(reported payload: ByteBuffer) {
        guard let status = payload.getInteger(at: payload.readerIndex, endianness: .little, as: Int32.self) else {
            self = .unknown
            return
        }
        self = status >= 0 ? .exited(code: status) : .signaled(0 &- status)
    }
}
