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
    var wall: Duration = .zero
    var freeze: Duration = .zero
    var cpu: Duration = .zero
    var memoryPeakBytes: UInt64 = 0
    var log = ""
    /// How a worker ended that was gone before it was told anything.
    var lostTo: Death.Cause?

    static let lost = ExchangeResult(answer: .lost, isReusable: false)
}

/// One call on one worker: thaw, send, receive, freeze, meter, judge.
///
/// Blocks its thread.
struct Exchange: ~Copyable {
    static let errorBytesMax = 12 + 2 * ReportedError.messageBytesMax + ReportedError.stackTraceBytesMax

    private let call: ExchangeCall
    private let limits: BoxLimits
    private var death: Death?
    /// The group's CPU time up to which calls were told; nil before the first.
    private(set) var cpuToldMicros: UInt64?
    private var cpuBefore: UInt64 = 0

    init(call: ExchangeCall, limits: BoxLimits, cpuToldMicros: UInt64?) {
        self.call = call
        self.limits = limits
        self.cpuToldMicros = cpuToldMicros
    }

    /// Talks to the box and judges what was seen.
    mutating func run(_ box: borrowing Box) -> ExchangeResult {
        cpuBefore = cpuToldMicros ?? box.cpuMicros
        guard !box.hasEnded else { return .lost }
        // Before it runs again: what its threads burn from the first instant on belongs to this call.
        let cpuAtThaw = box.cpuMicros
        cpuBefore = cpuToldMicros ?? cpuAtThaw
        box.thaw()
        let before = Evidence(oomKills: box.oomKills, pidsRefused: box.pidsRefused)
        let ceiling = Deadline(after: call.wallGranted)
        let outputMax = call.outputBytesMax
        var conversation = Conversation(
            .call,
            flags: call.kind.rawValue,
            payload: call.input,
            logBytesMax: call.logBytesMax,
            deadline: min(call.deadline, ceiling)
        ) { reply in
            switch reply {
            case .result: outputMax
            case .error: Self.errorBytesMax
            case .childEnded: 4
            default: nil
            }
        }
        let began = Deadline.now
        let event = conversation.next(box)
        var result = ExchangeResult(answer: .lost, isReusable: false)
        let ended = Deadline.now
        result.wall = .nanoseconds(Int64(ended - began))
        let isFrozen = stop(box, after: event)
        result.freeze = .nanoseconds(Int64(Deadline.now - ended))
        conversation.drainLogs(box)
        result.log = conversation.log.text
        let cpuAfter = box.cpuMicros
        result.cpu = .microseconds(Int64(clamping: cpuAfter.since(cpuBefore)))
        cpuToldMicros = max(cpuAfter, cpuBefore)
        let evidence = Evidence(
            oomKills: box.oomKills.since(before.oomKills),
            pidsRefused: box.pidsRefused.since(before.pidsRefused),
            tmpIsFull: box.tmpIsFull
        )
        result.answer = .failure(judge(event, evidence, ceilingFirst: ceiling < call.deadline))
        if case .frame(.result, let flags, let payload) = event, evidence.oomKills == 0 {
            result.answer = accept(flags, payload)
        }
        if case .frame(.childEnded, FrameHeader.beforeTheCall, let payload) = event,
            .microseconds(Int64(clamping: cpuAfter.since(cpuAtThaw))) < Self.noticeMax
        {
            result.answer = .lost
            result.lostTo = Death.Cause(reported: payload)
        }
        let hasStray = conversation.hasStrayBytes(box)
        if hasStray, case .frame = event {
            result.answer = .failure(Verdict.protocolViolation("bytes behind the answer"))
        }
        result.isReusable = isFrozen && !hasStray && evidence == Evidence() && isReusable(event, result.answer)
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
