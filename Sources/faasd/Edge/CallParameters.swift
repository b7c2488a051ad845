import HTTPTypes
import Hummingbird
import Invoker

/// What a call asks for besides its body: query keys and content type, as Algorithmia's clients send them.
struct CallParameters: Sendable, Equatable {
    /// How the answer is wrapped.
    enum Output: Sendable, Equatable {
        case wrapped
        case raw
        /// None: the caller is told that the call has begun.
        case void
    }

    var timeoutSeconds: Int?
    var wantsStandardOutput = false
    var wantsTiming = false
    /// Whether an administrator asks to be treated as the algorithm's owner.
    var asOwner = false
    var output = Output.wrapped
    var kind = ContentKind.text

    /// What a call asks for that says nothing.
    init() {}

    /// Reads the query and the content type; keys that mean nothing here are ignored, because clients send them.
    ///
    /// - Throws: `BadCall` with the field, its value and what is allowed.
    init(query: [(name: String, value: String)], contentType: String?, limits: Limits) throws(BadCall) {
        for (name, value) in query {
            switch name {
            case "timeout": timeoutSeconds = try Self.timeout(value, limits)
            case "stdout": wantsStandardOutput = try Self.flag(name, value)
            case "timing": wantsTiming = try Self.flag(name, value)
            case "sudo": asOwner = try Self.flag(name, value)
            case "output": output = try Self.output(value)
            default: break
            }
        }
        kind = try Self.kind(contentType)
    }

    private static func timeout(_ value: String, _ limits: Limits) throws(BadCall) -> Int {
        let most = Int(limits.timeoutMax.components.seconds)
        guard let seconds = Int(value), (1...most).contains(seconds) else {
            throw BadCall(
                field: "timeout",
                value: value,
                limit: "\(most)",
                message: "timeout is '\(value.prefix(40))'; it must be a whole number of seconds from 1 to \(most)"
            )
        }
        return seconds
    }

    private static func flag(_ name: String, _ value: String) throws(BadCall) -> Bool {
        switch value.lowercased() {
        case "true", "1": return true
        case "false", "0", "": return false
        default:
            throw BadCall(
                field: name,
                value: value,
                message: "\(name) is '\(value.prefix(40))'; it must be true or false"
            )
        }
    }

    private static func output(_ value: String) throws(BadCall) -> Output {
        switch value {
        case "raw": return .raw
        case "void": return .void
        case "", "default": return .wrapped
        default:
            throw BadCall(
                field: "output",
                value: value,
                message: "output is '\(value.prefix(40))'; it must be raw, void, or absent for the wrapped form"
            )
        }
    }

    /// - Source: the content types that the official clients send; a missing one means text, as curl's users expect.
    static func kind(_ contentType: String?) throws(BadCall) -> ContentKind {
        let essence = (contentType ?? "text/plain").split(separator: ";").first.map(String.init) ?? ""
        switch essence.trimmed.lowercased() {
        case "application/json": return .json
        case "text/plain", "application/text": return .text
        case "application/octet-stream": return .binary
        default:
            throw BadCall(
                field: "Content-Type",
                value: essence,
                message:
                    "Failed to build algorithm input from request: bad request: unsupported Content-Type '\(essence.prefix(80))'; use application/json, text/plain or application/octet-stream"
            )
        }
    }
}

/// A call that cannot be understood: answered with 400 and charged nothing.
struct BadCall: Error, Sendable, Equatable {
    var field: String
    var value: String
    var limit: String?
    var message: String
}

extension String {
    var trimmed: String {
        var text = Substring(self)
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
