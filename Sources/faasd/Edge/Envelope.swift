import Billing
import Invoker
import NIOCore

/// The body of an answer: `{"result":…,"metadata":{…}}` or `{"error":{…},"metadata":{…}}`.
///
/// Never `"error": null`: the official clients take the mere key for a failure.
enum Envelope {
    /// What every answer says of its call.
    struct Metadata: Sendable {
        var invocation: InvocationID
        var duration: Duration = .zero
        /// Waiting, loading and running together, when the caller asked for it.
        var total: Duration?
        /// What the caller should know besides, such as a low balance.
        var alerts: [String] = []
        /// What it printed, when it was asked for by the algorithm's owner.
        var log: String?
    }

    /// What an error says.
    struct Problem: Sendable {
        var message: String
        var type: String
        /// Where it happened; nil where there is no such place.
        var stackTrace: String?
        /// Figures of a refusal: limit, value, scope, reset.
        var figures: [(name: String, value: Figure)] = []
    }

    enum Figure: Sendable {
        case number(Int64)
        case text(String)
    }

    static func result(_ kind: ContentKind, _ value: ByteBuffer, _ metadata: Metadata) -> AnswerBody {
        var body = AnswerBody()
        body.write("{\"result\":")
        switch kind {
        case .json: body.append(value)
        case .text: body.writeJSON(text: value)
        case .binary: body.writeJSON(base64: value)
        }
        body.write(",")
        write(metadata, kind: kind, to: &body)
        body.write("}")
        return body
    }

    /// The whole answer to a call with `output=void`.
    static func begun(_ invocation: InvocationID) -> AnswerBody {
        AnswerBody(ByteBuffer(string: "{\"async\":\"void\",\"request_id\":\"\(invocation)\"}"))
    }

    static func error(_ problem: Problem, _ metadata: Metadata) -> AnswerBody {
        var body = AnswerBody()
        body.write("{\"error\":{\"message\":")
        body.writeJSON(problem.message)
        body.write(",\"error_type\":")
        body.writeJSON(problem.type)
        if let trace = problem.stackTrace {
            // The service wrote one spelling, its Python client reads the other.
            for key in ["stacktrace", "stack_trace"] {
                body.write(",\"\(key)\":")
                body.writeJSON(trace)
            }
        }
        for figure in problem.figures {
            body.write(",\"\(figure.name)\":")
            switch figure.value {
            case .number(let number): body.write(String(number))
            case .text(let text): body.writeJSON(text)
            }
        }
        body.write("},")
        write(metadata, kind: nil, to: &body)
        body.write("}")
        return body
    }

    private static func write(_ metadata: Metadata, kind: ContentKind?, to body: inout AnswerBody) {
        body.write("\"metadata\":{")
        if let kind {
            body.write("\"content_type\":\"")
            body.write(kind.name)
            body.write("\",")
        }
        body.write("\"duration\":")
        body.write(metadata.duration.jsonSeconds)
        body.write(",\"request_id\":\"")
        body.write(metadata.invocation)
        body.write("\"")
        if let log = metadata.log {
            body.write(",\"stdout\":")
            body.writeJSON(log)
        }
        if let total = metadata.total {
            body.write(",\"timing\":{\"running\":")
            body.write(metadata.duration.jsonSeconds)
            body.write(",\"total\":")
            body.write(total.jsonSeconds)
            body.write("}")
        }
        for (index, alert) in metadata.alerts.enumerated() {
            body.write(index == 0 ? ",\"alerts\":[" : ",")
            body.writeJSON(alert)
        }
        if !metadata.alerts.isEmpty { body.write("]") }
        body.write("}")
    }
}
