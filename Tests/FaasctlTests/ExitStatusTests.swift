import FoundationEssentials
import Testing

@testable import faasctl

/// The built program against sockets that are missing, left over, or answered by something else.
@Suite(.timeLimit(.minutes(1)))
struct ExitStatusTests {
    @Test func `3 when there is no socket, no listener, no host`() async throws {
        let scratch = try Scratch()
        let file = try scratch.write("file")
        let cases = [
            ["--socket", scratch.path + "/none.sock"], ["--socket", file],
            ["--server", "http://127.0.0.1:1", "--key", "k"], ["--server", "http://h.invalid", "--key", "k"],
        ]
        for options in cases {
            let plain = try await Program.run(["user", "list"] + options)
            #expect(plain.status == 3 && plain.output.isEmpty, "\(options): \(plain)")
            #expect(plain.errors.hasPrefix("faasctl: no answer from faasd at \(options[1]): "), "\(plain.errors)")
            let json = try await Program.run(["user", "list", "--json"] + options)
            #expect(json.status == 3 && json.isOneDocument, "\(options): \(json)")
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", StandIn.json("not json"), StandIn.json("{}"),
        StandIn.json("<html>", status: "502 Bad Gateway"),
        StandIn.json("", status: "302 Found", headers: "location: /x\r\n"),
    ])
    func `3 when the answer cannot be read`(answer: String) async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in answer }
        let result = try await Program.run(["user", "list", "--json", "--socket", standIn.socketPath])
        #expect(result.status == 3 && result.isOneDocument, "\(result)")
    }

    @Test func `1 when the daemon refuses, with its message and what it lacks`() async throws {
        let scratch = try Scratch()
        let document =
            #"{"error":{"message":"no credit","error_type":"PaymentRequiredError","field":"account","limit":5}}"#
        let answer = StandIn.json(document, status: "402 Payment Required", headers: "retry-after: 7\r\n")
        let standIn = try StandIn(scratch.path + "/s") { _ in answer }
        let plain = try await Program.run(["user", "list", "--socket", standIn.socketPath])
        #expect(plain.status == 1 && plain.output.isEmpty)
        #expect(plain.errors == "faasctl: no credit (field account, limit 5, try again in 7 s)\n")
        let json = try await Program.run(["user", "list", "--json", "--socket", standIn.socketPath])
        #expect(json.status == 1 && json.output == document + "\n", "\(json)")
    }

    @Test func `4 when an audit finds differences, 0 when not`() async throws {
        let scratch = try Scratch()
        let bad =
            #"{"ok":false,"checks":[{"name":"sum","ok":false,"examined":2}],"violations":[{"check":"sum","detail":"row 2"}]}"#
        let broken = try StandIn(scratch.path + "/bad") { _ in StandIn.json(bad) }
        let good = try StandIn(scratch.path + "/good") { _ in StandIn.json(#"{"ok":true,"checks":[],"violations":[]}"#)
        }
        let found = try await Program.run(["audit", "run", "--socket", broken.socketPath])
        #expect(
            found.status == 4 && found.output.contains("row 2") && found.errors.contains("1 difference "),
            "\(found)"
        )
        let json = try await Program.run(["audit", "run", "--json", "--socket", broken.socketPath])
        #expect(json.status == 4 && json.output == bad + "\n")
        #expect(try await Program.run(["audit", "run", "--socket", good.socketPath]).status == 0)
    }

    @Test(arguments: [
        "nonsense", "user create", "user create 9x", "credit top-up anna 1.1234567 --ref r", "credit top-up anna 1",
        "key create --user anna --kind root", "key revoke sim0123456789012345678901234", "algo deploy . --name hello",
        "algo deploy . --name a/b --memory 15", "algo deploy . --name a/b --memory 16385",
        "algo deploy . --name a/b --cpus 17",
        "algo deploy . --name a/b --timeout 0", "algo deploy . --name a/b --royalty -1",
        "algo deploy . --name a/b --isolation x", "algo deploy . --name a/b --start x",
        "algo deploy . --name a/b --isolation call --start template",
        "algo deploy /nowhere --name a/b", "algo call a/b --data x --file y",
        "algo call a/b --timeout 3001 --data x", "algo call a/b --json-data {", "algo call a/b --data x --account 9",
        "quota set account:a nonsense 1", "quota set a requests_per_second 1",
        "quota set account:a requests_per_second -1",
        "usage list --limit 0", "usage list --limit 1001", "user list --socket a --server http://b",
        "audit run --database x --socket y", "user list",
    ])
    func `64 when the command line is wrong, before anybody is asked`(line: String) async throws {
        let arguments = line.split(separator: " ").map(String.init)
        let plain = try await Program.run(arguments)
        #expect(plain.status == 64 && plain.output.isEmpty && plain.errors.hasPrefix("faasctl: "), "\(plain)")
        let json = try await Program.run(arguments + ["--json"])
        #expect(json.status == 64 && json.isOneDocument, "\(json)")
    }

    @Test func `64 when both the bare result and a JSON document are asked for`() async throws {
        let result = try await Program.run(["algo", "call", "a/b", "--raw", "--json", "--data", "x"])
        #expect(result.status == 64 && result.isOneDocument && result.errors.contains("--raw or --json"), "\(result)")
    }

    @Test func `help has an example for every command`() async throws {
        let commands = [
            "", "user", "user create", "user list", "user show", "key", "key create", "key list", "key revoke",
            "credit",
            "credit top-up", "credit show", "algo", "algo deploy", "algo list", "algo show", "algo call", "algo delete",
            "quota", "quota set", "quota get", "quota list", "quota unset", "quota explain", "usage", "usage list",
            "usage show", "audit", "audit run",
        ]
        for command in commands {
            let words = command.split(separator: " ").map(String.init)
            let result = try await Program.run(words + ["--help"])
            #expect(result.status == 0 && result.errors.isEmpty, "\(command)")
            #expect(result.output.contains("EXAMPLE\n  ") && result.output.contains("faasctl \(command)"), "\(command)")
        }
    }
}
