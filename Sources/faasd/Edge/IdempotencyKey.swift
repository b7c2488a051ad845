import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The caller's name for one request, so that sending it twice runs and charges it once.
///
/// - Source: draft-ietf-httpapi-idempotency-key-header; the text is taken as it is, quotes included.
struct IdempotencyKey: Sendable, Equatable {
    static let bytesMax = 255

    let text: String

    /// Reads the header; nil when there is none.
    ///
    /// - Throws: `CallProblem`, 400, for a key that is none.
    init?(_ headers: HTTPFields) throws(CallProblem) {
        guard let value = headers[.idempotencyKey] else { return nil }
        let isVisible = value.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard (1...Self.bytesMax).contains(value.utf8.count), isVisible else {
            var problem = Envelope.Problem(
                message:
                    "Idempotency-Key has \(value.utf8.count) bytes; it must have 1 to \(Self.bytesMax), all of them visible ASCII",
                type: "SystemError"
            )
            problem.figures = [("field", .text("Idempotency-Key")), ("limit", .number(Int64(Self.bytesMax)))]
            throw CallProblem(.badRequest, problem)
        }
        text = value
    }

    /// What makes the request what it is: target, content type and body.
    func digest(_ request: Request, _ body: ByteBuffer) -> [UInt8] {
        var hash = SHA256()
        for part in [request.uri.string, request.headers[.contentType] ?? ""] {
            hash.update(data: Data(part.utf8))
            hash.update(data: [0])
        }
        body.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }
}

extension HTTPField.Name {
    static let idempotencyKey: HTTPField.Name = {
        guard let name = HTTPField.Name("Idempotency-Key") else { preconditionFailure("it is a header name") }
        return name
    }()
}
