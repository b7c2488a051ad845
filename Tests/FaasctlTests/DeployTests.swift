import FaasClient
import FoundationEssentials
import Glibc
import Testing

@testable import faasctl

@Suite(.timeLimit(.minutes(1)))
struct DeployTests {
    @Test func `the same files make the same archive, whatever their times and order`() async throws {
        let first = try Scratch()
        let second = try Scratch()
        for name in ["src/hello.py", "requirements.txt", "-C", "a b/c.txt"] {
            try first.write(name, "content of \(name)")
        }
        for name in ["a b/c.txt", "-C", "requirements.txt", "src/hello.py"] {
            try second.write(name, "content of \(name)")
        }
        for name in [".git/config", "__pycache__/x.pyc", "src/__pycache__/y.pyc"] { try second.write(name) }
        chmod(second.path + "/requirements.txt", 0o600)
        var old = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        utimensat(AT_FDCWD, second.path + "/src/hello.py", &old, 0)
        let tree = try SourceTree(scanning: first.path)
        #expect(tree.paths == ["-C", "a b", "a b/c.txt", "requirements.txt", "src", "src/hello.py"])
        let archives = [try await tree.archive(), try await SourceTree(scanning: second.path).archive()]
        #expect(archives[0] == archives[1] && archives[0].starts(with: [0x1F, 0x8B]))
        // gzip -n: no name, no time.
        #expect(Array(archives[0][3..<8]) == [0, 0, 0, 0, 0])
        let listing = try await list(archives[0])
        #expect(listing == ["-C", "a b/", "a b/c.txt", "requirements.txt", "src/", "src/hello.py"])
    }

    @Test func `a symbolic link is refused, the first by name`() throws {
        let scratch = try Scratch()
        try scratch.write("hello.py")
        symlink("/etc/passwd", scratch.path + "/z")
        symlink("hello.py", scratch.path + "/b.py")
        let error = refusal(scratch.path)
        #expect(
            error?.status == .refused && error?.message.contains("/b.py is a symbolic link") == true,
            "\(error as Any)"
        )
    }

    @Test func `a pipe is refused`() throws {
        let scratch = try Scratch()
        try scratch.write("hello.py")
        mkfifo(scratch.path + "/pipe", 0o600)
        #expect(refusal(scratch.path)?.message.contains("/pipe is neither") == true)
    }

    @Test func `a directory without Python, a file and nothing are refused`() throws {
        let scratch = try Scratch()
        try scratch.write("readme.txt")
        try scratch.write(".git/x.py")
        #expect(refusal(scratch.path)?.status == .refused)
        #expect(refusal(scratch.path + "/readme.txt")?.status == .usage)
        #expect(refusal(scratch.path + "/none")?.status == .usage)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func `a directory has at most 100 MiB`(excess: Int, isAccepted: Bool) throws {
        let scratch = try Scratch()
        try scratch.write("hello.py", "0123456789")
        // A hole: the size counts, the disk does not.
        let file = try scratch.write("model.bin", "")
        truncate(file, ClientLimits.archiveBytesMax - 10 + excess)
        let error = refusal(scratch.path)
        #expect((error == nil) == isAccepted, "\(error as Any)")
        if let error { #expect(error.status == .refused && error.message.contains("100 MiB")) }
    }

    @Test func `a file that vanishes while packing is named`() async throws {
        let scratch = try Scratch()
        try scratch.write("hello.py")
        let gone = try scratch.write("gone.txt")
        let tree = try SourceTree(scanning: scratch.path)
        unlink(gone)
        do throws(CommandFailure) {
            _ = try await tree.archive()
            Issue.record("packed")
        } catch {
            #expect(error.status == .unreachable && error.message.contains("gone.txt"), "\(error)")
        }
    }

    @Test func `a deploy sends the archive with its options`() async throws {
        let scratch = try Scratch()
        try scratch.write("alg/hello.py", "def apply(x): return x")
        let document = #"{"name":"anna/hello","version":"0.1.0","hash":"ab","runtime":"python3"}"#
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json(document, status: "201 Created") }
        let options = [
            "--public", "--royalty", "5", "--memory", "16", "--cpus", "2", "--timeout", "9", "--isolation", "call",
            "--start", "exec",
        ]
        let command = ["algo", "deploy", scratch.path + "/alg", "--name", "anna/hello", "--socket", standIn.socketPath]
        let plain = try await Program.run(command + options)
        #expect(plain.status == 0 && plain.output.hasPrefix("deployed  anna/hello/0.1.0\n"), "\(plain)")
        #expect(plain.errors.isEmpty, "no progress without a terminal")
        #expect(try await Program.run(command + ["--json"]).output == document + "\n")
        let sent = standIn.requests
        let path = "POST /v1/manage/algorithms/anna/hello/versions?public="
        #expect(
            sent.map(\.line) == [
                path + "true&royalty=5&memory=16&cpus=2&timeout=9&isolation=call&start=exec", path + "false",
            ]
        )
        #expect(sent[0].headers.contains("content-type: application/gzip"))
    }

    @Test func `an audit of a file becomes faasd`() async throws {
        let scratch = try Scratch()
        let copy = scratch.path + "/faasctl"
        try FileManager.default.copyItem(atPath: Program.path(), toPath: copy)
        let missing = try await Program.run(
            path: copy,
            ["audit", "run", "--database", "f"],
            environment: ["PATH": "/nowhere"]
        )
        #expect(missing.status == 3 && missing.errors.contains("faasd is neither beside"), "\(missing)")
        let faasd = try scratch.write("faasd", "#!/bin/sh\necho \"$@\"\nexit 4\n")
        chmod(faasd, 0o755)
        let result = try await Program.run(path: copy, ["audit", "run", "--database", "f g", "--json"])
        #expect(result.status == 4 && result.output == "audit --database f g --json\n", "\(result)")
    }

    private func refusal(_ directory: String) -> CommandFailure? {
        do throws(CommandFailure) {
            _ = try SourceTree(scanning: directory)
            return nil
        } catch {
            return error
        }
    }

    private func list(_ archive: [UInt8]) async throws -> [String] {
        let tar = Tool(path: "/usr/bin/tar", arguments: ["--list", "--gzip", "--file=-"])
        let output = try await tar.run(input: archive, outputBytesMax: 1 << 20)
        return String(decoding: output.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
