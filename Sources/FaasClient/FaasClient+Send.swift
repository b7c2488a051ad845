internal import AsyncHTTPClient
internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1

extension FaasClient {
    /// Sends a request and reads the answer's fields.
    ///
    /// - Throws: `ClientError`.
    func send<Value: Decodable & Sendable>(
        _ request: Request,
        as type: Value.Type = Value.self
    ) async throws(ClientError) -> Answer<Value> {
        let reply = try await exchange(request)
        guard reply.isSuccess else { throw Self.refusal(reply, to: request) }
        do {
            return Answer(value: try Self.decoder().decode(type, from: Data(reply.body)), document: reply.body)
        } catch {
            let cause = "the body is not what was expected (\(Self.explain(error))); is it faasd of this version?"
            throw .unreadable(Unreadable(request: request.summary, status: reply.status, cause: cause))
        }
    }

    /// Sends a request and collects the answer, whatever its status.
    ///
    /// - Throws: `ClientError.unreachable`, or `.unreadable` when the answer is too long.
    func exchange(_ request: Request) async throws(ClientError) -> Reply {
        let deadline = NIODeadline.now() + .seconds(request.timeoutSeconds)
        do {
            let response = try await http.execute(outgoing(request), deadline: deadline)
            let body = try await response.body.collect(upTo: ClientLimits.answerBytesMax)
            return Reply(
                status: Int(response.status.code),
                retryAfterSeconds: response.headers.first(name: "retry-after").flatMap(Int.init),
                body: Array(body.readableBytesView)
            )
        } catch is NIOTooManyBytesError {
            let cause = "the body is longer than \(ClientLimits.answerBytesMax) bytes"
            throw .unreadable(Unreadable(request: request.summary, status: 200, cause: cause))
        } catch {
            throw .unreachable(Unreachable(error, at: endpoint, afterSeconds: request.timeoutSeconds))
        }
    }

    /// Turns an answer that is no success into what the daemon meant by it.
    static func refusal(_ reply: Reply, to request: Request) -> ClientError {
        let problem = try? decoder().decode(Problem.self, from: Data(reply.body))
        if problem == nil, !(400..<500 ~= reply.status) {
            let cause = "without faasd's error object; is the address right, or is a proxy in between?"
            return .unreadable(Unreadable(request: request.summary, status: reply.status, cause: "it came \(cause)"))
        }
        let fallback = "\(request.summary) was refused with status \(reply.status)"
        return .refused(
            Refusal(
                status: reply.status,
                message: problem?.message ?? fallback,
                errorType: problem?.errorType,
                field: problem?.field,
                value: problem?.value,
                limit: problem?.limit,
                retryAfterSeconds: reply.retryAfterSeconds,
                document: problem == nil ? nil : reply.body
            )
        )
    }

    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private func outgoing(_ request: Request) -> HTTPClientRequest {
        var outgoing = HTTPClientRequest(url: endpoint.baseURL + request.target)
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        outgoing.headers.add(name: "accept", value: "application/json")
        if case .socket = endpoint { outgoing.headers.add(name: "host", value: "faasd") }
        if let key { outgoing.headers.add(name: "authorization", value: "Simple \(key)") }
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        outgoing.body = request.body
        return outgoing
    }

    private static func explain(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _): "no field \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "field \(context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")) differs"
        default: "not JSON"
        }
    }
}

/// The daemon's error object, in its long form or as a bare string.
struct Problem: Decodable, Sendable {
    let message: String
    let errorType: String?
    let stacktrace: String?
    let field: String?
    let value: String?
    let limit: String?

    private enum CodingKeys: String, CodingKey { case error }

    private struct Details: Decodable {
        let message: String
        let errorType: String?
        let stacktrace: String?
        let field: String?
        let value: Scalar?
        let limit: Scalar?
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try? container.decode(String.self, forKey: .error) {
            message = text
            (errorType, stacktrace, field, value, limit) = (nil, nil, nil, nil, nil)
        } else {
            let details = try container.decode(Details.self, forKey: .error)
            message = details.message
            errorType = details.errorType
            stacktrace = details.stacktrace
            field = details.field
            value = details.value?.description
            limit = details.limit?.description
        }
    }
}
