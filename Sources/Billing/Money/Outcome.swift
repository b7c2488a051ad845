/// How a call ended; with ``PayPolicy`` it decides who pays.
///
/// The numbers are stored on usage records and never change.
public enum Outcome: Int, Sendable, CaseIterable, Codable {
    /// The algorithm returned a result.
    case ok = 0
    /// The algorithm declared its input wrong.
    case inputError = 1
    /// The algorithm raised an exception.
    case algorithmError = 2
    /// The algorithm returned something that is no answer.
    case badOutput = 3
    /// The version's memory limit was reached.
    case memoryLimit = 4
    /// The version's CPU limit was reached.
    case cpuLimit = 5
    /// A timeout the caller chose, strictly below the version's own.
    case timeoutCaller = 6
    /// The version's own timeout, or the platform's largest.
    case timeoutVersion = 7
    /// A system call outside the allowed ones.
    case syscallViolation = 8
    /// Too many processes.
    case pidsLimit = 9
    /// Too much disk.
    case diskLimit = 10
    /// Too much output.
    case outputLimit = 11
    /// The worker was ended by a signal of its own making.
    case signal = 12
    /// The worker exited.
    case exit = 13
    /// The code could not be loaded.
    case loadFailed = 14
    /// The caller went away or cancelled.
    case canceled = 15
    /// The money or quota held for the call was used up.
    case ceiling = 16
    /// A fault of the platform.
    case platformFault = 17

    /// The stable name used in listings, for example `"memory-limit"`.
    public var name: String {
        switch self {
        case .ok: "ok"
        case .inputError: "input-error"
        case .algorithmError: "algorithm-error"
        case .badOutput: "bad-output"
        case .memoryLimit: "memory-limit"
        case .cpuLimit: "cpu-limit"
        case .timeoutCaller: "timeout-caller"
        case .timeoutVersion: "timeout-version"
        case .syscallViolation: "syscall-violation"
        case .pidsLimit: "pids-limit"
        case .diskLimit: "disk-limit"
        case .outputLimit: "output-limit"
        case .signal: "signal"
        case .exit: "exit"
        case .loadFailed: "load-failed"
        case .canceled: "canceled"
        case .ceiling: "ceiling"
        case .platformFault: "platform-fault"
        }
    }
}

/// Who pays for which outcome; its number is stored on every usage record, so that old records are judged by old rules.
enum PayPolicy: Int64 {
    /// Good results pay compute and royalty; what the caller caused pays the time run; everything else is free.
    case one = 1
    /// The same, but a declared input error is free as long as the failure allowance lasts, and so is a call that is
    /// run again because its answer was too large to keep.
    case two = 2

    static let current = PayPolicy.two

    /// Whether the caller pays the time run; not when the failure allowance, or the call that it repeats, absorbs it.
    func callerPaysCompute(_ outcome: Outcome, isAbsorbed: Bool = false) -> Bool {
        switch outcome {
        case .ok, .inputError, .timeoutCaller, .canceled, .ceiling: !isAbsorbed
        default: false
        }
    }

    func callerPaysRoyalty(_ outcome: Outcome, isAbsorbed: Bool = false) -> Bool {
        outcome == .ok && !isAbsorbed
    }

    /// Whether the failure allowance may pay for such an end.
    func mayAbsorb(_ outcome: Outcome) -> Bool { self == .two && outcome == .inputError }
}
