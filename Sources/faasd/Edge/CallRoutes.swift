import Billing
import Catalog
import HTTPTypes
import Hummingbird
import Invoker
import Logging
import NIOCore

/// `POST /v1/algo/OWNER/NAME[/SELECTOR]`: the call itself.
struct CallRoutes: Sendable {
    let catalog: Catalog
    let invoker: Invoker
    let authenticator: Authenticator
    let limits: Limits
    let bodies: BodyBudget
    /// Below this much credit, answers carry an alert.
    let lowCredit: Microcredits
    let logger: Logger

    func add(to router: Router<EdgeContext>) {
        router.post("/v1/algo/**") { await call($0, $1) }
    }

    @Sendable private func call(_ request: Request, _ context: EdgeContext) async -> Response {
        let (invocation, loop) = (InvocationID(), context.channel.eventLoop)
        let raw = request.uri.queryParameters["output"] == "raw"
        do throws(CallProblem) {
            let parameters = try parameters(request)
            let payer = try payer(request, await authenticator.caller(request, context), parameters)
            let version = try resolve(CallTarget(path: request.uri.path), payer)
            if parameters.asOwner, case .administrator = payer.viewer {
                logger.notice(
                    "call as the owner",
                    metadata: [
                        "call": "\(invocation)", "by": "\(payer.account)", "key": "\(payer.keyID)",
                        "algorithm": "\(version.algorithm)/\(version.number)",
                    ]
                )
            }
            let room = bodies.room(for: payer.account)
            let input = try await body(request, room)
            try check(input, parameters)
            var call = CallRequest(
                invocation: invocation,
                account: payer.account,
                keyID: payer.keyID,
                version: version,
                kind: parameters.kind,
                input: input,
                timeoutSeconds: parameters.timeoutSeconds
            )
            if let key = try IdempotencyKey(request.headers) {
                switch invoker.claim(key.text, request: key.digest(request, input), account: payer.account) {
                case .run(let claim): call.claim = claim
                case .answered(let earlier, let reply):
                    return CallAnswer(
                        again: reply,
                        parameters,
                        earlier,
                        isOwner: payer.owns(version),
                        lowCredit: lowCredit
                    )
                    .response(on: loop)
                case .refused(let reply):
                    return CallAnswer(reply, parameters, invocation, isOwner: false, lowCredit: lowCredit)
                        .response(on: loop)
                }
            }
            if parameters.output == .void { return await begin(call, room).response(on: loop) }
            let reply = await invoker.call(call)
            room.keepUntilHere()
            log(reply, call)
            return CallAnswer(reply, parameters, invocation, isOwner: payer.owns(version), lowCredit: lowCredit)
                .response(on: loop)
        } catch {
            return CallAnswer(error.status, error.problem, invocation, raw: raw).response(on: loop)
        }
    }

    /// Answers once the call is let in, and lets it run on.
    private func begin(_ call: CallRequest, _ room: BodyBudget.Room) async -> CallAnswer {
        let refusal = await withCheckedContinuation { admission in
            // Unstructured: the call outlives its request. At the end of the daemon, the ledger waits for it.
            Task {
                let reply = await invoker.call(call) { admission.resume(returning: $0) }
                room.keepUntilHere()
                log(reply, call)
            }
        }
        return CallAnswer(begun: call.invocation, refusal)
    }

    private struct Payer {
        var account: String
        var keyID: String
        var viewer: Viewer

        func owns(_ version: AlgorithmVersion) -> Bool {
            if case .administrator = viewer { return true }
            return account.lowercased() == version.owner.lowercased()
        }
    }

    private func parameters(_ request: Request) throws(CallProblem) -> CallParameters {
        let query = request.uri.queryParameters.map { (name: String($0.key), value: String($0.value)) }
        do {
            return try CallParameters(query: query, contentType: request.headers[.contentType], limits: limits)
        } catch {
            var problem = Envelope.Problem(message: error.message, type: "SystemError")
            problem.figures = [("field", .text(error.field)), ("value", .text(String(error.value.prefix(200))))]
            if let limit = error.limit { problem.figures.append(("limit", .text(limit))) }
            throw CallProblem(.badRequest, problem)
        }
    }

    /// Who pays: the owner of the key, or over the Unix socket the account that the administrator names.
    private func payer(_ request: Request, _ caller: Caller, _ parameters: CallParameters) throws(CallProblem) -> Payer
    {
        switch caller {
        case .nobody: throw CallProblem(.ok, "AuthorizationError", "authorization required")
        case .unknownKey: throw CallProblem(.ok, "AuthorizationError", "Unknown or invalid API key.")
        case .key(let key) where key.kind == .admin && parameters.asOwner:
            return Payer(account: key.user, keyID: key.id, viewer: .administrator)
        case .key(let key):
            guard key.kind == .algorithm else {
                throw CallProblem(
                    .ok,
                    "AuthorizationError",
                    "key \(key.id) is of kind \(key.kind.rawValue); calls need one of kind algorithm, or admin with sudo=true"
                )
            }
            return Payer(account: key.user, keyID: key.id, viewer: .user(key.user))
        case .peer:
            guard let name = request.headers[.account], let user = catalog.user(named: name) else {
                throw CallProblem(
                    .ok,
                    "AuthorizationError",
                    "over the socket the header X-Faasd-Account must name the account that pays, an existing user"
                )
            }
            return Payer(account: user.name, keyID: "socket", viewer: .administrator)
        }
    }

    private func resolve(_ target: CallTarget, _ payer: Payer) throws(CallProblem) -> AlgorithmVersion {
        do {
            return try catalog.resolve(
                owner: target.owner,
                name: target.name,
                selector: target.selector,
                as: payer.viewer
            )
        } catch { throw CallProblem(.ok, "EntityNotFoundError", "algorithm algo://\(target.reference) not found") }
    }

    private func body(_ request: Request, _ room: BodyBudget.Room) async throws(CallProblem) -> ByteBuffer {
        let most = limits.inputBytesMax
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        do {
            guard announced <= most else { throw BodyBudget.Failure.tooLarge }
            return try await bodies.collect(request.body, upTo: most, in: room)
        } catch BodyBudget.Failure.noRoom {
            throw CallProblem(
                .serviceUnavailable,
                "SystemError",
                "the server holds as many bodies as it may just now, all or this account's; try again in a second"
            )
        } catch BodyBudget.Failure.tooLarge {
            var problem = Envelope.Problem(
                message: "the input is larger than \(most) bytes, which is the most a call may send",
                type: "TooLargeError"
            )
            problem.figures = [("limit", .number(Int64(most)))]
            if announced > 0 { problem.figures.append(("value", .number(Int64(announced)))) }
            throw CallProblem(.contentTooLarge, problem)
        } catch { throw CallProblem(.badRequest, "SystemError", "the body could not be read to its end") }
    }

    /// Input that says it is JSON, or text, must be; it is checked and never decoded.
    private func check(_ input: ByteBuffer, _ parameters: CallParameters) throws(CallProblem) {
        switch parameters.kind {
        case .binary: return
        case .text:
            guard !input.withUnsafeReadableBytes(UTF8Check.isValid) else { return }
            throw CallProblem(
                .badRequest,
                "SystemError",
                "Failed to build algorithm input from request: bad request: the text is not UTF-8; send application/octet-stream for bytes"
            )
        case .json:
            do throws(JSONScanner.Problem) {
                try input.withUnsafeReadableBytes { (bytes) throws(JSONScanner.Problem) in
                    try JSONScanner.check(bytes, allowsNonFinite: true)
                }
            } catch {
                var problem = Envelope.Problem(
                    message: "Failed to build algorithm input from request: bad request: malformed JSON: \(error)",
                    type: "SystemError"
                )
                problem.figures = [("position", .number(Int64(error.offset)))]
                throw CallProblem(.badRequest, problem)
            }
        }
    }

    private func log(_ reply: CallReply, _ call: CallRequest) {
        if case .fault(let text) = reply.answer {
            logger.error("call failed on our side", metadata: ["call": "\(call.invocation)", "error": "\(text)"])
        }
        logger.debug(
            "call",
            metadata: [
                "call": "\(call.invocation)", "algorithm": "\(call.version.algorithm)", "account": "\(call.account)",
                "charge": "\(reply.receipt?.charge.rawValue ?? 0)",
            ]
        )
    }
}

/// A call that is answered before it reaches the invoker.
struct CallProblem: Error, Sendable {
    var status: HTTPResponse.Status
    var problem: Envelope.Problem

    init(_ status: HTTPResponse.Status, _ problem: Envelope.Problem) {
        self.status = status
        self.problem = problem
    }

    init(_ status: HTTPResponse.Status, _ type: String, _ message: String) {
        self.init(status, Envelope.Problem(message: message, type: type))
    }
}
