import Billing
import HTTPTypes
import Hummingbird
import Invoker
import NIOCore

/// From what a call came to, to an HTTP response.
///
/// The official clients show the body of a 200 only, so whatever a person must read is a 200 with an `error`; what a
/// program must act on (429, 413, 503) has its own status.
struct CallAnswer: Sendable {
    var status: HTTPResponse.Status = .ok
    var headers = AnswerFields()
    var body = AnswerBody()
    /// The answer's place in memory; nil for what takes next to none.
    private(set) var room: AnswerRoom?

    /// The response on a connection of this loop; it keeps the answer's room until the client has taken it.
    func response(on loop: any EventLoop) -> Response {
        Response(status: status, headers: headers.fields, body: body.response(holding: room, on: loop))
    }

    /// The answer to a call that reached the invoker.
    ///
    /// The owner sees what the code printed and where it failed; below `lowCredit` the answer carries an alert.
    init(
        _ reply: CallReply,
        _ parameters: CallParameters,
        _ invocation: InvocationID,
        isOwner: Bool,
        lowCredit: Microcredits
    ) {
        var metadata = Envelope.Metadata(invocation: invocation, duration: reply.wall)
        if isOwner && parameters.wantsStandardOutput { metadata.log = reply.log }
        if parameters.wantsTiming { metadata.total = reply.queue + reply.starting + reply.load + reply.wall }
        if let left = reply.receipt?.remaining, left < lowCredit {
            metadata.alerts = [
                "low balance: \(left) credits are left, below \(lowCredit); top up before calls are refused"
            ]
        }
        room = reply.room
        headers[.contentType] = "application/json"
        switch reply.answer {
        case .value(let kind, let value): take(kind, value, parameters, metadata)
        case .failure(let failure):
            // The owner sees where it happened; others only what.
            let trace = isOwner && !failure.stackTrace.isEmpty ? failure.stackTrace : failure.message
            fail(
                .ok,
                Envelope.Problem(message: failure.message, type: failure.type, stackTrace: trace),
                parameters,
                metadata
            )
        case .refused(let refusal): refuse(refusal, parameters, metadata)
        case .busy(let busy):
            headers[.retryAfter] = .number(Int64(busy.retryAfterSeconds))
            var problem = Envelope.Problem(message: busy.message, type: "QueueFullError")
            problem.figures = busy.figures.map(Self.figures) ?? []
            fail(.tooManyRequests, problem, parameters, metadata)
        case .fault:
            fail(
                .internalServerError,
                Envelope.Problem(
                    message: "The platform failed, not the algorithm; nothing was charged. Try again.",
                    type: "SystemError"
                ),
                parameters,
                metadata
            )
        case .outcomeUnknown:
            headers[.retryAfter] = "5"
            fail(
                .serviceUnavailable,
                Envelope.Problem(
                    message:
                        "The ledger could not confirm the charge of this call; its usage record, if there is one, tells after the restart.",
                    type: "SystemError"
                ),
                parameters,
                metadata
            )
        }
        receipt(reply, invocation)
    }

    /// The answer that was given to the same request before, word for word, but for what the account has left.
    init(
        again reply: CallReply,
        _ parameters: CallParameters,
        _ invocation: InvocationID,
        isOwner: Bool,
        lowCredit: Microcredits
    ) {
        if parameters.output == .void {
            self.init(begun: invocation, nil)
        } else {
            self.init(reply, parameters, invocation, isOwner: isOwner, lowCredit: lowCredit)
        }
        headers[.replayed] = "true"
    }

    /// The answer to a call that nobody waits for: its id once it was let in, else the refusal.
    init(begun invocation: InvocationID, _ refusal: Refusal?) {
        headers[.contentType] = "application/json"
        headers[.callID] = .id(invocation)
        if let refusal {
            refuse(refusal, CallParameters(), Envelope.Metadata(invocation: invocation))
        } else {
            body = Envelope.begun(invocation)
        }
    }

    /// The answer to a call that never got there.
    init(_ status: HTTPResponse.Status, _ problem: Envelope.Problem, _ invocation: InvocationID, raw: Bool = false) {
        headers[.contentType] = "application/json"
        headers[.callID] = .id(invocation)
        if status == .serviceUnavailable { headers[.retryAfter] = "1" }
        body = Envelope.error(problem, Envelope.Metadata(invocation: invocation))
        self.status = raw && status == .ok ? .badRequest : status
    }

    private mutating func take(
        _ kind: ContentKind,
        _ value: ByteBuffer,
        _ parameters: CallParameters,
        _ metadata: Envelope.Metadata
    ) {
        guard parameters.output == .raw else {
            body = Envelope.result(kind, value, metadata)
            return
        }
        body = AnswerBody(value)
        headers[.contentType] =
            switch kind {
            case .text: "text/plain; charset=utf-8"
            case .json: "application/json"
            case .binary: "application/octet-stream"
            }
    }

    private mutating func fail(
        _ status: HTTPResponse.Status,
        _ problem: Envelope.Problem,
        _ parameters: CallParameters,
        _ metadata: Envelope.Metadata
    ) {
        body = Envelope.error(problem, metadata)
        self.status = parameters.output == .raw && status == .ok ? .badRequest : status
    }

    private mutating func refuse(_ refusal: Refusal, _ parameters: CallParameters, _ metadata: Envelope.Metadata) {
        if let seconds = refusal.retryAfterSeconds { headers[.retryAfter] = .number(Int64(max(1, seconds))) }
        var problem = Envelope.Problem(message: refusal.message, type: refusal.errorType)
        problem.figures = [
            ("metric", .text(refusal.metric)), ("scope", .text(refusal.scope)), ("limit", .number(refusal.limit)),
            ("value", .number(refusal.value)),
        ]
        if let reset = refusal.reset { problem.figures.append(("reset", .number(reset))) }
        fail(refusal.status, problem, parameters, metadata)
    }

    private static func figures(_ figures: Busy.Figures) -> [(name: String, value: Envelope.Figure)] {
        [
            ("metric", .text(figures.metric)), ("scope", .text(figures.scope)), ("limit", .number(figures.limit)),
            ("value", .number(figures.value)),
        ]
    }

    /// What it cost and where the time went.
    ///
    /// Amounts are integers; times are microseconds.
    private mutating func receipt(_ reply: CallReply, _ invocation: InvocationID) {
        headers.add(.callID, .id(invocation))
        guard let receipt = reply.receipt else { return }
        headers.add(.priceVersion, .number(receipt.priceVersion))
        headers.add(.start, .text(reply.start.rawValue))
        func add(_ name: AnswerFields.Name, _ time: Duration) {
            headers.add(name, .number(time.microsecondsRoundedDown))
        }
        add(.queueMicros, reply.queue)
        add(.startMicros, reply.starting)
        add(.loadMicros, reply.load)
        add(.runMicros, reply.wall)
        add(.freezeMicros, reply.freeze)
        add(.commitMicros, reply.commit)
        add(.wallMicros, reply.queue + reply.starting + reply.load + reply.wall)
        add(.cpuMicros, reply.cpu)
        headers.add(.queuePosition, .number(Int64(reply.queuePosition)))
        headers.add(.charge, .number(receipt.charge.rawValue))
        headers.add(.royalty, .number(receipt.royalty.rawValue))
        headers.add(.remaining, .number(receipt.remaining.rawValue))
    }
}

extension Duration {
    fileprivate var microsecondsRoundedDown: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}

extension Refusal {
    fileprivate var status: HTTPResponse.Status {
        switch kind {
        case .rate, .concurrency, .queueFull, .cpuQuota, .failureAllowance: .tooManyRequests
        case .spendCap, .credit, .accountUnknown, .accountFrozen, .accountClosed: .ok
        case .draining, .suspended: .serviceUnavailable
        case .keyInFlight: .conflict
        case .keyMismatch: .unprocessableContent
        case .keyAnswerGone: .gone
        }
    }

    fileprivate var errorType: String {
        switch kind {
        case .spendCap, .credit, .accountUnknown: "PaymentRequiredError"
        case .rate, .concurrency, .queueFull, .cpuQuota, .failureAllowance: "QuotaExceededError"
        case .accountFrozen, .accountClosed: "AuthorizationError"
        case .draining, .suspended: "SystemError"
        case .keyInFlight, .keyMismatch, .keyAnswerGone: "IdempotencyKeyError"
        }
    }
}

extension AnswerFields.Name {
    static var callID: Self { "X-Faasd-Call-Id" }
    static var replayed: Self { "X-Faasd-Replayed" }
    static var priceVersion: Self { "X-Faasd-Price-Version" }
    static var start: Self { "X-Faasd-Start" }
    static var queueMicros: Self { "X-Faasd-Queue-Us" }
    static var queuePosition: Self { "X-Faasd-Queue-Position" }
    static var startMicros: Self { "X-Faasd-Start-Us" }
    static var freezeMicros: Self { "X-Faasd-Freeze-Us" }
    static var commitMicros: Self { "X-Faasd-Commit-Us" }
    static var loadMicros: Self { "X-Faasd-Load-Us" }
    static var runMicros: Self { "X-Faasd-Run-Us" }
    static var wallMicros: Self { "X-Faasd-Wall-Us" }
    static var cpuMicros: Self { "X-Faasd-Cpu-Us" }
    static var charge: Self { "X-Faasd-Charge-Microcredits" }
    static var royalty: Self { "X-Faasd-Royalty-Microcredits" }
    static var remaining: Self { "X-Faasd-Credit-Remaining-Microcredits" }
}

extension HTTPField.Name {
    /// Who pays for a call over the Unix socket.
    static let account: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Faasd-Account") else { preconditionFailure("no header name") }
        return name
    }()
}
