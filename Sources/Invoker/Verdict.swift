public import Billing
internal import Sandbox

/// Why a call did not produce a result, in words with numbers, and what that means for the bill.
public struct Failure: Sendable, Equatable {
    /// The class, which decides who pays.
    public var outcome: Outcome
    /// The `error_type` of the answer.
    public var type: String
    /// For the caller: what happened, which limit, its value.
    public var message: String
    /// For the owner of the algorithm; empty when there is none.
    public var stackTrace = ""
}

/// What the kernel says about a box at the end of a call, compared with its state before.
struct Evidence: Sendable, Equatable {
    var oomKills: UInt64 = 0
    var pidsRefused: UInt64 = 0
    var tmpIsFull = false
}

/// Pure decisions: from what was seen to a failure.
enum Verdict {
    /// A process died, or was killed, before it answered.
    static func death(_ cause: Death.Cause, _ evidence: Evidence, limits: BoxLimits) -> Failure {
        if let limit = limit(evidence, limits) { return limit }
        switch cause {
        case .exited(let code):
            return Failure(outcome: .exit, type: "SystemExit", message: "exited with code \(code)")
        case .signaled(Signal.badSystemCall):
            return Failure(
                outcome: .syscallViolation,
                type: "SyscallError",
                message: "killed: it made a system call that is forbidden in the sandbox (SIGSYS)"
            )
        case .signaled(Signal.cpuTime):
            return Failure(
                outcome: .cpuLimit,
                type: "CpuLimitError",
                message: "killed: CPU time limit reached (SIGXCPU)"
            )
        case .signaled(Signal.fileSize):
            return Failure(
                outcome: .diskLimit,
                type: "DiskLimitError",
                message: "killed: a file grew beyond \(limits.effectiveTmpBytes) bytes, the size of /tmp (SIGXFSZ)"
            )
        case .signaled(let number):
            // The C library's abort() in process 1, which ignores its own SIGABRT, ends with an invalid instruction.
            let abort = number == Signal.segmentation ? ", as after abort() or an invalid pointer" : ""
            return Failure(
                outcome: .signal,
                type: "SignalError",
                message: "killed by signal \(number) (\(Signal.name(number)))\(abort)"
            )
        case .unknown:
            return Failure(outcome: .signal, type: "SignalError", message: "ended without a status")
        }
    }

    /// The limit that was reached during the call, if any; whatever the code itself reported, the kernel's word counts.
    static func limit(_ evidence: Evidence, _ limits: BoxLimits) -> Failure? {
        if evidence.oomKills > 0 {
            return Failure(
                outcome: .memoryLimit,
                type: "OutOfMemoryError",
                message:
                    "out of memory: the version's limit is \(limits.memoryBytes) bytes for all its processes and the files in /tmp"
            )
        }
        if evidence.tmpIsFull {
            return Failure(
                outcome: .diskLimit,
                type: "DiskLimitError",
                message: "no space left in /tmp: its limit is \(limits.effectiveTmpBytes) bytes"
            )
        }
        if evidence.pidsRefused > 0 {
            return Failure(
                outcome: .pidsLimit,
                type: "ProcessLimitError",
                message: "too many processes: the version's limit is \(limits.pids) processes and threads at one time"
            )
        }
        return nil
    }

    /// The deadline passed.
    ///
    /// Which of the limits it was decides who pays.
    static func timeout(seconds: Int, cause: Outcome) -> Failure {
        let whose = cause == .timeoutCaller ? "the timeout the caller asked for" : "the version's own limit"
        return Failure(
            outcome: cause,
            type: "TimeoutError",
            message: "algorithm did not complete within \(seconds) second\(seconds == 1 ? "" : "s") (\(whose))"
        )
    }

    /// The money or CPU time that was left paid for less time than the call wanted.
    static func ceiling(_ granted: Duration) -> Failure {
        Failure(
            outcome: .ceiling,
            type: "PaymentRequiredError",
            message:
                "stopped after \(granted.milliseconds) ms: the account's remaining credit or quota pays for no more; top up or raise the quota"
        )
    }

    static func protocolViolation(_ detail: String) -> Failure {
        Failure(outcome: .badOutput, type: "ProtocolError", message: "the worker broke the reply protocol: \(detail)")
    }

    static func outputTooLarge(_ bytes: Int, limit: Int) -> Failure {
        Failure(
            outcome: .outputLimit,
            type: "TooLargeError",
            message: "the result is too large: \(bytes) bytes, the limit is \(limit) bytes"
        )
    }

    /// The box is being ended and nobody can say how it ended: the spawner is gone, or the kernel takes its time.
    static let spawnerGone = Failure(
        outcome: .platformFault,
        type: "SystemError",
        message: "the platform lost sight of the sandbox; nothing was charged, try again"
    )

    /// An error the author's code raised.
    static func reported(_ error: ReportedError) -> Failure {
        let outcome: Outcome =
            switch error.type {
            case "InputError", "ParsingError": .inputError
            case "TooLargeError": .outputLimit
            default: .algorithmError
            }
        return Failure(outcome: outcome, type: error.type, message: error.message, stackTrace: error.stackTrace)
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
    /// Whole microseconds, rounded up, as the ledger wants them.
    var microsecondsRoundedUp: Int64 {
        components.seconds * 1_000_000 + (components.attoseconds + 999_999_999_999) / 1_000_000_000_000
    }
}

/// Signal numbers of Linux on x86-64 and arm64: signal(7).
enum Signal {
    static let badSystemCall: Int32 = 31
    static let cpuTime: Int32 = 24
    static let fileSize: Int32 = 25
    static let segmentation: Int32 = 11

    static func name(_ number: Int32) -> String {
        let names: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
            31: "SIGSYS",
        ]
        return names[number] ?? "signal \(number)"
    }
}
