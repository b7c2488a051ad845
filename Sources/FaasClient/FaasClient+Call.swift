internal import FoundationEssentials

/// What a call sends.
public enum CallInput: Sendable, Equatable {
    /// Text, sent as `text/plain`.
    case text([UInt8])
    /// A JSON document, sent as it is.
    case json([UInt8])
    /// Bytes, sent as `application/octet-stream`.
    case binary([UInt8])

    var content: (bytes: [UInt8], type: String) {
        switch self {
        case .text(let bytes): (bytes, "text/plain")
        case .json(let bytes): (bytes, "application/json")
        case .binary(let bytes): (bytes, "application/octet-stream")
        }
    }
}

/// What an algorithm returned.
public enum CallOutput: Sendable, Equatable {
    /// Text in UTF-8.
    case text([UInt8])
    /// A JSON value, digit for digit as the daemon sent it.
    case json([UInt8])
    /// Bytes.
    case binary([UInt8])
}

/// How a call ended that the daemon answered with a result or an error object.
public enum CallOutcome: Sendable, Equatable {
    /// The algorithm returned.
    case result(CallOutput)
    /// It did not, or was not called.
    case failed(CallFailure)
}

/// Why a call has no result.
public struct CallFailure: Sendable, Equatable {
    /// One sentence.
    public let message: String
    /// The kind of error, for example `AlgorithmError`.
    public let errorType: String?
    /// Where in the algorithm it was raised; the owner only is told.
    public let stacktrace: String?
}

/// Which algorithm is called, and how.
public struct CallTarget: Sendable, Equatable {
    /// The algorithm's owner.
    public var owner: String
    /// The algorithm's name.
    public var name: String
    /// Which version; nil for the newest public one.
    public var version: String?
    /// Time of the call, in seconds; nil for the version's own.
    public var timeoutSeconds: Int?
    /// Who pays; over the daemon's own socket only.
    public var account: String?

    /// Describes a call of the newest public version.
    public init(owner: String, name: String) {
        self.owner = owner
        self.name = name
    }
}

extension FaasClient {
    /// Calls an algorithm.
    ///
    /// - Parameters:
    ///   - target: which algorithm.
    ///   - input: at most 10 MiB.
    /// - Returns: how it ended; an algorithm's own error is not thrown.
    /// - Throws: `ClientError`.
    public func call(_ target: CallTarget, _ input: CallInput) async throws(ClientError) -> Answer<CallOutcome> {
        let answer: Answer<CallEnvelope> = try await send(try request(target, input, output: nil))
        return Answer(value: try outcome(answer, of: target), document: answer.document)
    }

    /// Calls an algorithm and returns its bare result.
    ///
    /// - Parameters:
    ///   - target: which algorithm.
    ///   - input: at most 10 MiB.
    /// - Returns: the text, JSON or bytes as they came.
    /// - Throws: `ClientError`; a failure of the algorithm is `.refused` as well.
    public func callRaw(_ target: CallTarget, _ input: CallInput) async throws(ClientError) -> [UInt8] {
        let request = try request(target, input, output: "raw")
        let reply = try await exchange(request)
        guard reply.isSuccess else { throw Self.refusal(reply, to: request) }
        return reply.body
    }

    private func request(
        _ target: CallTarget,
        _ input: CallInput,
        output: String?
    ) throws(ClientError) -> Request {
        let content = input.content
        guard content.bytes.count <= ClientLimits.inputBytesMax else {
            let rule = "at most \(ClientLimits.inputBytesMax) bytes (10 MiB)"
            throw .invalid("input", "\(content.bytes.count) bytes", rule: rule)
        }
        let path = ["v1", "algo", target.owner, target.name] + [target.version].compactMap(\.self)
        let seconds = target.timeoutSeconds ?? ClientLimits.callSeconds.upperBound
        var request = Request(.post, path: path)
            .adding("timeout", target.timeoutSeconds.map { "\($0)" })
            .adding("output", output)
            .carrying(content.bytes, as: content.type)
            .within(seconds: Int64(seconds) + ClientLimits.callMarginSeconds)
        if let account = target.account { request.headers.append(("x-faasd-account", account)) }
        return request
    }

    private func outcome(_ answer: Answer<CallEnvelope>, of target: CallTarget) throws(ClientError) -> CallOutcome {
        if let problem = answer.value.problem {
            let failure = CallFailure(
                message: problem.message,
                errorType: problem.errorType,
                stacktrace: problem.stacktrace
            )
            return .failed(failure)
        }
        guard let value = JSONSlice.member("result", of: answer.document),
            let output = CallOutput(contentType: answer.value.contentType, value: Array(value))
        else {
            let cause = "the result is missing or not of the type that is announced"
            throw .unreadable(
                Unreadable(request: "POST /v1/algo/\(target.owner)/\(target.name)", status: 200, cause: cause)
            )
        }
        return .result(output)
    }
}

extension CallOutput {
    fileprivate init?(contentType: String?, value: [UInt8]) {
        let text = { try? JSONDecoder().decode(String.self, from: Data(value)) }
        switch contentType {
        case "text":
            guard let text = text() else { return nil }
            self = .text(Array(text.utf8))
        case "binary":
            guard let data = text().flatMap({ Data(base64Encoded: $0) }) else { return nil }
            self = .binary(Array(data))
        default: self = .json(value)
        }
    }
}

/// The parts of a call's answer that are read; the result itself is cut out of the document.
struct CallEnvelope: Decodable, Sendable {
    let problem: Problem?
    let contentType: String?

    private enum CodingKeys: String, CodingKey { case error, metadata }

    private struct Metadata: Decodable { let contentType: String? }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        problem = container.contains(.error) ? try Problem(from: decoder) : nil
        contentType = try container.decodeIfPresent(Metadata.self, forKey: .metadata)?.contentType
    }
}
