import Billing
import Catalog
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Invoker
import Logging
import NIOCore

/// Who calls what how, before any byte of the body: what can be known of a call from its head.
struct CallOrder: Sendable {
    private(set) var invocation = InvocationID()
    let parameters: CallParameters
    let parties: CallParties
    /// Whether an administrator asks.
    let isAdministrator: Bool

    init(parameters: CallParameters, payer: CallDesk.Payer, version: AlgorithmVersion) {
        self.parameters = parameters
        parties = CallParties(account: payer.account, keyID: payer.keyID, version: version)
        if case .administrator = payer.viewer { isAdministrator = true } else { isAdministrator = false }
        isOwner = payer.owns(version)
    }

    /// Whether the caller may see what only the algorithm's owner may.
    let isOwner: Bool

    /// The same asked for once more: another call.
    var again: CallOrder {
        var order = self
        order.invocation = InvocationID()
        return order
    }
}

/// Reads what calls ask for; `CallRoutes` and `CallLane` take them in.
struct CallDesk: Sendable {
    let catalog: Catalog
    let invoker: Invoker
    let authenticator: Authenticator
    let limits: Limits
    let bodies: BodyBudget
    /// Below this much credit, answers carry an alert.
    let lowCredit: Microcredits
    let logger: Logger

    /// Reads the head of a call.
    ///
    /// - Throws: `CallProblem`, which is the answer.
    func order(_ uri: URI, _ headers: HTTPFields, by caller: Caller) throws(CallProblem) -> CallOrder {
        let parameters = try parameters(uri, headers)
        let payer = try payer(headers, caller, parameters)
        return CallOrder(
            parameters: parameters,
            payer: payer,
            version: try resolve(CallTarget(path: uri.path), payer)
        )
    }

    /// The call, once its whole body is there.
    ///
    /// - Throws: `CallProblem` for a body that is not what it says it is.
    func request(_ order: CallOrder, _ input: ByteBuffer) throws(CallProblem) -> CallRequest {
        try check(input, order.parameters)
        if order.parameters.asOwner, order.isAdministrator {
            logger.notice(
                "call as the owner",
                metadata: [
                    "call": "\(order.invocation)", "by": "\(order.parties.account)", "key": "\(order.parties.keyID)",
                    "algorithm": "\(order.parties.version.algorithm)/\(order.parties.version.number)",
                ]
            )
        }
        return CallRequest(
            invocation: order.invocation,
            parties: order.parties,
            kind: order.parameters.kind,
            input: input,
            timeoutSeconds: order.parameters.timeoutSeconds
        )
    }

    /// The answer to a call that reached the invoker, which is logged.
    func answer(_ reply: CallReply, to order: CallOrder) -> CallAnswer {
        log(reply, order)
        return CallAnswer(reply, order.parameters, order.invocation, isOwner: order.isOwner, lowCredit: lowCredit)
    }

    func log(_ reply: CallReply, _ order: CallOrder) {
        if case .fault(let text) = reply.answer {
            logger.error("call failed on our side", metadata: ["call": "\(order.invocation)", "error": "\(text)"])
        }
        logger.debug(
            "call",
            metadata: [
                "call": "\(order.invocation)", "algorithm": "\(order.parties.version.algorithm)",
                "account": "\(order.parties.account)",
                "charge": "\(reply.receipt?.charge.rawValue ?? 0)",
            ]
        )
    }

    struct Payer: Sendable {
        var account: String
        var keyID: String
        var viewer: Viewer

        func owns(_ version: AlgorithmVersion) -> Bool {
            if case .administrator = viewer { return true }
            return account.lowercased() == version.owner.lowercased()
        }
    }

    private func parameters(_ uri: URI, _ headers: HTTPFields) throws(CallProblem) -> CallParameters {
        let query = uri.queryParameters.map { (name: String($0.key), value: String($0.value)) }
        do {
            return try CallParameters(query: query, contentType: headers[.contentType], limits: limits)
        } catch {
            var problem = Envelope.Problem(message: error.message, type: "SystemError")
            problem.figures = [("field", .text(error.field)), ("value", .text(String(error.value.prefix(200))))]
            if let limit = error.limit { problem.figures.append(("limit", .text(limit))) }
            throw CallProblem(.badRequest, problem)
        }
    }

    /// Who pays: the owner of the key, or over the Unix socket the account that the administrator names.
    private func payer(_ headers: HTTPFields, _ caller: Caller, _ parameters: CallParameters) throws(CallProblem)
        -> Payer
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
            guard let name = headers[.account], let user = catalog.user(named: name) else {
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
