import FaasClient
import FoundationEssentials
import Testing

@testable import faasctl

@Suite(.timeLimit(.minutes(1)))
struct CallTests {
    @Test(arguments: [
        (#"{"result":"hé\nllo","metadata":{"content_type":"text","duration":1}}"#, "hé\nllo\n"),
        (
            #"{"metadata":{"content_type":"json"},"result": {"a":1.0,"n":12345678901234567890} }"#,
            "{\"a\":1.0,\"n\":12345678901234567890}\n"
        ),
        (#"{"result":"QUJD","metadata":{"content_type":"binary"}}"#, "ABC"),
        (#"{"result":null,"metadata":{"content_type":"json"}}"#, "null\n"),
    ])
    func `a result is printed as what it is`(document: String, output: String) async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json(document) }
        let call = ["algo", "call", "a/b", "--data", "x", "--socket", standIn.socketPath]
        let plain = try await Program.run(call)
        #expect(plain.status == 0 && plain.output == output && plain.errors.isEmpty, "\(plain)")
        #expect(try await Program.run(call + ["--json"]).output == document + "\n")
    }

    @Test func `an algorithm's error is a refusal that names it`() async throws {
        let scratch = try Scratch()
        let document =
            #"{"error":{"message":"boom","error_type":"AlgorithmError","stacktrace":"line 1"},"metadata":{}}"#
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json(document) }
        let call = ["algo", "call", "a/b/0.1.0", "--data", "x", "--socket", standIn.socketPath]
        let plain = try await Program.run(call)
        #expect(plain.status == 1 && plain.output.isEmpty)
        #expect(plain.errors == "faasctl: a/b/0.1.0: boom (AlgorithmError)\nline 1\n")
        let json = try await Program.run(call + ["--json"])
        #expect(json.status == 1 && json.output == document + "\n")
    }

    @Test func `raw adds nothing`() async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json("ABC") }
        let call = ["algo", "call", "a/b", "--data", "x", "--raw", "--socket", standIn.socketPath]
        #expect(try await Program.run(call).output == "ABC")
    }

    @Test func `the input's type follows its source`() async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json("{}") }
        let call = ["algo", "call", "a/b", "--socket", standIn.socketPath]
        _ = try await Program.run(call, input: "piped")
        _ = try await Program.run(call + ["--file", scratch.write("a.json", "{}")])
        _ = try await Program.run(call + ["--file", scratch.write("a.txt", "t")])
        _ = try await Program.run(call + ["--file", scratch.write("a.png", "p")])
        let types = standIn.requests.map { $0.headers.firstMatch(of: /content-type: (\S+)/).map { String($0.1) } }
        #expect(types == ["text/plain", "application/json", "text/plain", "application/octet-stream"])
        #expect(standIn.requests.map(\.body) == ["piped", "{}", "t", "p"])
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func `an input has at most 10 MiB`(excess: Int, isAccepted: Bool) throws {
        let scratch = try Scratch()
        let file = try scratch.write("in", String(repeating: "x", count: ClientLimits.inputBytesMax + excess))
        do throws(CommandFailure) {
            _ = try CallSource.file(file).read()
            #expect(isAccepted)
        } catch {
            #expect(!isAccepted && error.status == .refused && error.message.contains("10 MiB"), "\(error)")
        }
    }

    @Test func `a missing file is unreadable`() async throws {
        let result = try await Program.run(["algo", "call", "a/b", "--file", "/nowhere", "--socket", "/s"])
        #expect(result.status == 3 && result.errors == "faasctl: /nowhere: No such file or directory\n")
    }

    @Test(
        arguments: [
            (#"{"a":1}"#, "1"), (#" { "b" : [1,"]",{"x":"}"}] , "a" : "q\"}," } "#, #""q\"},""#),
            (#"{"a":{"a":2}}"#, #"{"a":2}"#),
            (#"{"b":{"a":2}}"#, nil), ("[]", nil), ("", nil), ("{", nil), (#"{"a""#, nil), (#"{"a":"#, nil),
            (#"{"a":"\"#, nil),
            (#"{"a":tru"#, nil), (#"{"a":,}"#, nil), (#"{"a":-0.0e1}"#, "-0.0e1"),
        ] as [(String, String?)]
    )
    func `a member is cut out as it is`(document: String, value: String?) {
        let slice = JSONSlice.member("a", of: Array(document.utf8))
        #expect(slice.map { String(decoding: $0, as: UTF8.self) } == value)
    }
}
