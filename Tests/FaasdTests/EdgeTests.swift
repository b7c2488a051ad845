import Billing
import Foundation
import Invoker
import NIOCore
import Testing

@testable import faasd

@Suite struct EdgeTests {
    @Test(
        arguments: [
            ("simABC", "simABC"), ("Simple simABC", "simABC"), ("simple  simABC", "simABC"),
            ("Bearer simABC", "simABC"),
            ("Basic a b", "Basic a b"), ("", nil), ("   ", nil),
        ] as [(String, String?)]
    )
    func `a key is found in every form the clients send`(header: String, secret: String?) {
        #expect(Authenticator.secret(header) == secret)
    }

    @Test(
        arguments: [
            ("1", 1), ("3000", 3_000), ("0", nil), ("3001", nil), ("-1", nil), ("1.5", nil), ("", nil), ("abc", nil),
        ] as [(String, Int?)]
    )
    func `a timeout is a whole number of seconds from 1 to 3000`(text: String, seconds: Int?) {
        let parsed = try? CallParameters(query: [("timeout", text)], contentType: nil, limits: Limits())
        #expect(parsed?.timeoutSeconds == seconds)
    }

    @Test(
        arguments: [
            ("application/json", ContentKind.json), ("application/json; charset=utf-8", .json), ("text/plain", .text),
            ("application/text", .text), ("APPLICATION/OCTET-STREAM", .binary), (nil, .text), ("image/png", nil),
            ("", nil),
        ] as [(String?, ContentKind?)]
    )
    func `content types are those of the clients`(type: String?, kind: ContentKind?) {
        #expect((try? CallParameters.kind(type)) == kind)
    }

    @Test func `unknown query keys are ignored, unknown outputs are not`() throws {
        let parameters = try CallParameters(
            query: [("foo", "bar"), ("stdout", "True"), ("output", "raw")],
            contentType: nil,
            limits: Limits()
        )
        #expect(parameters.wantsStandardOutput && parameters.output == .raw)
        #expect(throws: BadCall.self) {
            try CallParameters(query: [("output", "xml")], contentType: nil, limits: Limits())
        }
        #expect(throws: BadCall.self) {
            try CallParameters(query: [("stdout", "perhaps")], contentType: nil, limits: Limits())
        }
    }

    @Test(arguments: [(99, true), (100, true), (101, false)])
    func `bodies have room up to the budget, and give it back`(bytes: Int, hasRoom: Bool) {
        let budget = BodyBudget(bytesMax: 100)
        let isGranted: Bool
        if let room = budget.reserve(bytes) {
            isGranted = true
            let second = budget.reserve(101 - bytes) == nil
            #expect(second)
            room.giveBack()
        } else {
            isGranted = false
        }
        #expect(isGranted == hasRoom)
        let again = budget.reserve(100) != nil
        #expect(again)
    }

    private func object(_ buffer: ByteBuffer) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(buffer.readableBytesView)) as? [String: Any])
    }

    @Test(arguments: ["", "plain", "\"quotes\" and \\ and \n\r\t\u{1}\u{1f}\u{7f}", "é😀\u{2028}", "</script>"])
    func `a text result is a JSON string that reads back the same`(text: String) throws {
        let body = Envelope.result(.text, ByteBuffer(string: text), .init(invocation: InvocationID(), log: text))
        let object = try object(body)
        #expect(object["result"] as? String == text)
        let metadata = try #require(object["metadata"] as? [String: Any])
        #expect(metadata["content_type"] as? String == "text")
        #expect(metadata["stdout"] as? String == text)
    }

    @Test(arguments: 0..<7)
    func `a binary result is base64`(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97) }
        let body = Envelope.result(.binary, ByteBuffer(bytes: bytes), .init(invocation: InvocationID()))
        #expect(try object(body)["result"] as? String == Data(bytes).base64EncodedString())
    }

    @Test func `an error carries both spellings of the trace and never a null`() throws {
        let problem = Envelope.Problem(
            message: "m",
            type: "T",
            stackTrace: "s",
            figures: [("limit", .number(5)), ("scope", .text("a"))]
        )
        let body = Envelope.error(problem, .init(invocation: InvocationID(), duration: .microseconds(1_500)))
        #expect(!String(buffer: body).contains("null"))
        let object = try object(body)
        let error = try #require(object["error"] as? [String: Any])
        #expect(error["stacktrace"] as? String == "s" && error["stack_trace"] as? String == "s")
        #expect(error["limit"] as? Int == 5 && error["scope"] as? String == "a")
        #expect((object["metadata"] as? [String: Any])?["duration"] as? Double == 0.0015)
    }
}
