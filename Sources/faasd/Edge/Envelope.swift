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

    static func result(_ kind: ContentKind, _ value: ByteBuffer, _ metadata: Metadata) -> ByteBuffer {
        var body = ByteBufferAllocator().buffer(capacity: value.readableBytes + value.readableBytes / 3 + 256)
        body.writeString("{\"result\":")
        value.withUnsafeReadableBytes { bytes in
            switch kind {
            case .json: _ = body.writeBytes(bytes)
            case .text: body.writeJSONString(bytes: bytes)
            case .binary: body.writeJSONBase64(bytes)
            }
        }
        body.writeString(",")
        write(metadata, kind: kind, to: &body)
        body.writeString("}")
        return body
    }

    /// The whole answer to a call with `output=void`.
    static func begun(_ invocation: InvocationID) -> ByteBuffer {
        ByteBuffer(string: "{\"async\":\"void\",\"request_id\":\"\(invocation)\"}")
    }

    static func error(_ problem: Problem, _ metadata: Metadata) -> ByteBuffer {
        var body = ByteBufferAllocator().buffer(capacity: 512)
        body.writeString("{\"error\":{\"message\":")
        body.writeJSONString(problem.message)
        body.writeString(",\"error_type\":")
        body.writeJSONString(problem.type)
        if let trace = problem.stackTrace {
            // The service wrote one spelling, its Python client reads the other.
            for key in ["stacktrace", "stack_trace"] {
                body.writeString(",\"\(key)\":")
                body.writeJSONString(trace)
            }
        }
        for figure in problem.figures {
            body.writeString(",\"\(figure.name)\":")
            switch figure.value {
            case .number(let number): body.writeString(String(number))
            case .text(let text): body.writeJSONString(text)
            }
        }
        body.writeString("},")
        write(metadata, kind: nil, to: &body)
        body.writeString("}")
        return body
    }

    private static func write(_ metadata: Metadata, kind: ContentKind?, to body: inout ByteBuffer) {
        body.writeString("\"metadata\":{")
        if let kind { body.writeString("\"content_type\":\"\(kind.name)\",") }
        body.writeString("\"duration\":")
        body.writeJSONSeconds(metadata.duration)
        body.writeString(",\"request_id\":\"\(metadata.invocation)\"")
        if let log = metadata.log {
            body.writeString(",\"stdout\":")
            body.writeJSONString(log)
        }
        if let total = metadata.total {
            body.writeString(",\"timing\":{\"running\":")
            body.writeJSONSeconds(metadata.duration)
            body.writeString(",\"total\":")
            body.writeJSONSeconds(total)
            body.writeString("}")
        }
        for (index, alert) in metadata.alerts.enumerated() {
            body.writeString(index == 0 ? ",\"alerts\":[" : ",")
            body.writeJSONString(alert)
        }
        if !metadata.alerts.isEmpty { body.writeString("]") }
        body.writeString("}")
    }
}
