/// Why a request came to nothing.
public enum ClientError: Error, Sendable, Equatable {
    /// An argument cannot be sent at all.
    case invalid(InvalidArgument)
    /// The daemon answered and said no.
    case refused(Refusal)
    /// Nobody answered in time.
    case unreachable(Unreachable)
    /// Something answered, but not as the daemon does.
    case unreadable(Unreadable)

    static func invalid(_ field: String, _ value: String, rule: String) -> ClientError {
        .invalid(InvalidArgument(field: field, value: value, rule: rule))
    }
}

/// An argument that breaks a rule the client knows.
public struct InvalidArgument: Sendable, Equatable {
    /// What the argument is for.
    public let field: String
    /// The argument.
    public let value: String
    /// What it must be.
    public let rule: String
}

/// What the daemon said when it refused.
public struct Refusal: Sendable, Equatable {
    /// The HTTP status, 400 … 599.
    public let status: Int
    /// The daemon's sentence for the person who asked.
    public let message: String
    /// The kind of error, for example `PaymentRequiredError`; nil when the daemon named none.
    public let errorType: String?
    /// The field that was wrong.
    public let field: String?
    /// Its value.
    public let value: String?
    /// The rule it broke.
    public let limit: String?
    /// When to try again, in seconds, from `Retry-After`.
    public let retryAfterSeconds: Int?
    /// The body as it came, one JSON document; nil when it was something else.
    public let document: [UInt8]?
}

/// Where the client got no answer, and what happened instead.
public struct Unreachable: Sendable, Equatable {
    /// The daemon's socket or address.
    public let endpoint: Endpoint
    /// What the kernel or the connection said.
    public let cause: String
    /// What may help; empty when nothing is known.
    public let remedy: String
}

/// An answer the client does not understand.
public struct Unreadable: Sendable, Equatable {
    /// The method and path of the request.
    public let request: String
    /// The HTTP status.
    public let status: Int
    /// What is wrong with the answer.
    public let cause: String
}

extension ClientError: CustomStringConvertible {
    /// One sentence that names what was wrong and what to do about it.
    public var description: String {
        switch self {
        case .invalid(let argument):
            "\(argument.field) '\(argument.value)' is refused: it must be \(argument.rule)"
        case .refused(let refusal):
            refusal.description
        case .unreachable(let failure):
            "no answer from faasd at \(failure.endpoint): \(failure.cause)"
                + (failure.remedy.isEmpty ? "" : ". \(failure.remedy)")
        case .unreadable(let failure):
            "\(failure.request) was answered with status \(failure.status), but \(failure.cause)"
        }
    }
}

extension Refusal: CustomStringConvertible {
    /// The message, followed by those of field, value and limit that it does not mention itself.
    public var description: String {
        let facts = [("field", field), ("value", value), ("limit", limit)].compactMap { name, fact in
            fact.flatMap { message.contains($0) ? nil : "\(name) \($0)" }
        }
        let wait = retryAfterSeconds.map { ["try again in \($0) s"] } ?? []
        let all = facts + wait
        return all.isEmpty ? message : "\(message) (\(all.joined(separator: ", ")))"
    }
}
