import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Small JSON documents of the management routes.
enum JSONReply {
    static func make(_ status: HTTPResponse.Status, _ value: some Encodable) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("a value of \(type(of: value)) could not be written as JSON")
        }
        return Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data))
        )
    }

    /// A list under `results`, as all list routes answer.
    static func results(_ values: [some Encodable]) -> Response { make(.ok, ["results": values]) }

    /// Reads a small JSON body.
    ///
    /// - Throws: `ManageProblem` naming the key that is missing or wrong.
    static func read<Value: Decodable>(_ type: Value.Type, _ request: Request) async throws -> Value {
        let body = try await request.body.collect(upTo: bodyBytesMax)
        do {
            return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        } catch DecodingError.keyNotFound(let key, _) {
            throw ManageProblem(
                status: .badRequest,
                type: "invalid",
                message: "the key \(key.stringValue) is missing",
                field: key.stringValue
            )
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let field = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw ManageProblem(
                status: .badRequest,
                type: "invalid",
                message: "\(field): \(context.debugDescription)",
                field: field
            )
        } catch {
            throw ManageProblem(
                status: .badRequest,
                type: "invalid",
                message: "the body is not the JSON this route takes"
            )
        }
    }

    private static let bodyBytesMax = 64 << 10

    /// Microseconds of Unix time as ISO 8601 in UTC.
    static func date(_ microseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
        return date.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted)
        )
    }
}

extension Request {
    /// The value of a query key, nil when it is not there.
    func query(_ name: String) -> String? { uri.queryParameters[Substring(name)].map { String($0) } }
}
