import Billing
import Sandbox
import Testing

@testable import Invoker

@Suite struct VerdictTests {
    private let limits = BoxLimits(memoryBytes: 512 << 20, cpuMillis: 1_000, pids: 64, tmpBytes: 512 << 20)

    @Test(arguments: [
        (Death.Cause.exited(code: 3), Outcome.exit, "SystemExit", "exited with code 3"),
        (.signaled(31), .syscallViolation, "SyscallError", "SIGSYS"),
        (.signaled(24), .cpuLimit, "CpuLimitError", "SIGXCPU"),
        (.signaled(25), .diskLimit, "DiskLimitError", "469762048 bytes"),
        (.signaled(11), .signal, "SignalError", "signal 11 (SIGSEGV), as after abort()"),
        (.unknown, .signal, "SignalError", "without a status"),
    ])
    func `a death is classified and said in words`(cause: Death.Cause, outcome: Outcome, type: String, words: String) {
        let failure = Verdict.death(cause, Evidence(), limits: limits)
        #expect(failure.outcome == outcome && failure.type == type)
        #expect(failure.message.contains(words), "\(failure.message)")
    }

    @Test(arguments: [
        (Evidence(oomKills: 1), Outcome.memoryLimit, "536870912 bytes"),
        (Evidence(tmpIsFull: true), .diskLimit, "469762048 bytes"),
        (Evidence(pidsRefused: 9), .pidsLimit, "64 processes"),
        (Evidence(oomKills: 2, pidsRefused: 9, tmpIsFull: true), .memoryLimit, "536870912 bytes"),
    ])
    func `a limit that the kernel saw reached names itself`(evidence: Evidence, outcome: Outcome, words: String) {
        let failure = Verdict.death(.exited(code: 1), evidence, limits: limits)
        #expect(failure.outcome == outcome)
        #expect(failure.message.contains(words), "\(failure.message)")
    }

    @Test(arguments: [
        ("InputError", Outcome.inputError), ("ParsingError", .inputError), ("TooLargeError", .outputLimit),
        ("AlgorithmError", .algorithmError), ("TimeoutError", .algorithmError),
        ("PaymentRequiredError", .algorithmError),
    ])
    func `what code says of itself never makes a limit or a timeout of it`(type: String, outcome: Outcome) {
        #expect(Verdict.reported(ReportedError(type: type, message: "m")).outcome == outcome)
    }

    @Test func `a timeout says whose it was`() {
        #expect(
            Verdict.timeout(seconds: 1, cause: .timeoutCaller).message
                == "algorithm did not complete within 1 second (the timeout the caller asked for)"
        )
        #expect(
            Verdict.timeout(seconds: 300, cause: .timeoutVersion).message.contains(
                "300 seconds (the version's own limit)"
            )
        )
    }

    @Test(arguments: [
        ("code/a.py", true), ("code/a/b/c.txt", true), ("code/..a", true), ("code/a b", true), ("code", false),
        ("code/", false),
        ("/code/a", false), ("code//a", false), ("code/../x", false), ("code/./x", false), ("../code/x", false),
        ("deps/x", false),
        ("code/a\nb", false), ("code/a\\b", false), ("code/a\u{7f}", false), ("", false),
    ])
    func `a file's name is plain, relative and in its folder`(path: String, isTaken: Bool) {
        #expect(((try? VersionWriter.check(path, in: ["code"])) != nil) == isTaken, "\(path)")
    }

    @Test(arguments: [(1_099, true), (1_100, true), (1_101, false)])
    func `a file's name is bounded`(length: Int, isTaken: Bool) {
        // Depth has a bound of its own, so the parts are long.
        let long = "code/" + (0..<6).map { _ in String(repeating: "a", count: 200) }.joined(separator: "/")
        let cut = String(long.prefix(length))
        #expect(((try? VersionWriter.check(cut, in: ["code"])) != nil) == isTaken)
    }

    @Test(arguments: [(39, true), (40, true), (41, false)])
    func `a file's depth is bounded`(parts: Int, isTaken: Bool) {
        let path = (["code"] + Array(repeating: "a", count: parts - 1)).joined(separator: "/")
        #expect(((try? VersionWriter.check(path, in: ["code"])) != nil) == isTaken)
    }
}
