import Foundation
import NIOCore
import Testing

@testable import Billing
@testable import Invoker
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

    @Test(
        arguments: [
            ("/v1/algo/demo/Hello", "demo", "Hello", nil), ("/v1/algo/demo/Hello/", "demo", "Hello", nil),
            ("/v1/algo//demo//Hello//", "demo", "Hello", nil), ("/v1/algo/demo/Hello/0.1.x", "demo", "Hello", "0.1.x"),
            ("/v1/algo/demo/Hello/0.1.0/", "demo", "Hello", "0.1.0"), ("/v1/algo/demo%2FHello", "demo", "Hello", nil),
            ("/v1/algo/demo%2fHello%2F0.1.%2A", "demo", "Hello", "0.1.*"),
            ("/v1/algo/d%65mo/Hello", "demo", "Hello", nil),
            ("/v1/algo/demo/Hello/1/2", "demo", "Hello", "1/2"), ("/v1/algo/demo", "demo", "", nil),
            ("/v1/algo/", "", "", nil), ("/v1/algo", "", "", nil), ("//v1//algo/demo/Hello", "demo", "Hello", nil),
            ("/v1/algo/v1/algo", "v1", "algo", nil), ("/v1/algo/%zz/Hello", "%zz", "Hello", nil),
            ("/v1/algo/%ff/Hello", "%ff", "Hello", nil), ("/v1/algo/a/..", "a", "..", nil),
        ] as [(String, String, String, String?)]
    )
    func `a path names an algorithm in every form the clients send`(
        path: String,
        owner: String,
        name: String,
        selector: String?
    ) {
        let target = CallTarget(path: path)
        #expect((target.owner, target.name, target.selector) == (owner, name, selector))
    }

    @Test(
        arguments: [
            ([], false, false, .wrapped), ([("timing", "true"), ("sudo", "True")], true, true, .wrapped),
            ([("timing", ""), ("output", "void")], false, false, .void),
            ([("output", "default")], false, false, .wrapped),
            ([("sudo", "1"), ("output", "raw")], false, true, .raw),
        ] as [([(String, String)], Bool, Bool, CallParameters.Output)]
    )
    func `timing, sudo and void are read from the query`(
        query: [(String, String)],
        timing: Bool,
        sudo: Bool,
        output: CallParameters.Output
    ) throws {
        let parameters = try CallParameters(
            query: query.map { (name: $0.0, value: $0.1) },
            contentType: nil,
            limits: Limits()
        )
        #expect((parameters.wantsTiming, parameters.asOwner, parameters.output) == (timing, sudo, output))
    }

    @Test(arguments: [(9_999_999, true), (10_000_000, false), (10_000_001, false)])
    func `an alert tells of less credit than the operator set`(left: Int64, isTold: Bool) throws {
        var reply = CallReply(answer: .value(.text, ByteBuffer(string: "x")))
        reply.receipt = Receipt(
            invocation: InvocationID(),
            charge: .zero,
            royalty: .zero,
            compute: .zero,
            remaining: Microcredits(rawValue: left),
            priceVersion: 1
        )
        let answer = CallAnswer(
            reply,
            CallParameters(),
            InvocationID(),
            isOwner: false,
            lowCredit: Microcredits(rawValue: 10_000_000)
        )
        let metadata = try #require(try object(answer.body)["metadata"] as? [String: Any])
        let alerts = metadata["alerts"] as? [String]
        #expect((alerts != nil) == isTold)
        if isTold {
            #expect(alerts == ["low balance: 9.999999 credits are left, below 10; top up before calls are refused"])
        }
    }

    @Test func `a call that nobody waits for is answered with its id`() throws {
        let invocation = InvocationID()
        let object = try object(CallAnswer(begun: invocation, nil).body)
        #expect(object["async"] as? String == "void" && object["request_id"] as? String == invocation.description)
        #expect(object["error"] == nil)
    }

    @Test(arguments: [(49, true), (50, true), (51, false)])
    func `bodies of an account have room up to half the budget, and give it back`(bytes: Int, hasRoom: Bool) {
        let budget = BodyBudget(bytesMax: 100)
        do {
            let room = budget.room(for: "anna")
            #expect(room.grow(by: bytes) == hasRoom)
            #expect(budget.room(for: "anna").grow(by: 51 - (hasRoom ? bytes : 0)) == false)
            room.keepUntilHere()
        }
        #expect(budget.room(for: "anna").grow(by: 50))
    }

    @Test(arguments: [(49, true), (50, true), (51, false)])
    func `bodies of all accounts have room up to the budget`(bytes: Int, hasRoom: Bool) {
        let budget = BodyBudget(bytesMax: 100)
        let (bert, carl) = (budget.room(for: "bert"), budget.room(for: "carl"))
        #expect(bert.grow(by: 30) && carl.grow(by: 20))
        #expect(budget.room(for: "anna").grow(by: bytes) == hasRoom)
        bert.keepUntilHere()
        carl.keepUntilHere()
    }

    private func object(_ body: AnswerBody) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(body.whole.readableBytesView)) as? [String: Any])
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
        #expect(!String(buffer: body.whole).contains("null"))
        let object = try object(body)
        let error = try #require(object["error"] as? [String: Any])
        #expect(error["stacktrace"] as? String == "s" && error["stack_trace"] as? String == "s")
        #expect(error["limit"] as? Int == 5 && error["scope"] as? String == "a")
        #expect((object["metadata"] as? [String: Any])?["duration"] as? Double == 0.0015)
    }
}
