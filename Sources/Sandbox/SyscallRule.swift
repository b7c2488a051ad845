internal import CSandbox
internal import Glibc

/// One row of a seccomp allowlist: calls, under which condition on their arguments, and why.
struct SyscallRule: Sendable {
    var names: [String]
    var reason: String
    /// Alternatives: the call passes when all conditions of one of them hold.
    ///
    /// Empty means always.
    var alternatives: [[Condition]]
    var action: Action

    enum Action: Sendable, Equatable {
        case allow
        case refuse(Int32)
        case kill
        /// Answers that it was done, and does nothing.
        case pretend
    }

    struct Condition: Sendable, Equatable {
        var argument: UInt32
        var comparison: UInt32
        var a: UInt64
        var b: UInt64
    }

    init(
        _ names: String,
        _ reason: String,
        when alternatives: [[Condition]] = [],
        action: Action = .allow
    ) {
        self.names = names.split(separator: " ").map(String.init)
        self.reason = reason
        self.alternatives = alternatives
        self.action = action
    }
}

extension SyscallRule.Condition {
    static func equal(_ argument: UInt32, _ value: UInt64) -> Self {
        Self(argument: argument, comparison: UInt32(SBX_EQUAL.rawValue), a: value, b: 0)
    }
    static func notEqual(_ argument: UInt32, _ value: UInt64) -> Self {
        Self(argument: argument, comparison: UInt32(SBX_NOT_EQUAL.rawValue), a: value, b: 0)
    }
    static func greater(_ argument: UInt32, _ value: UInt64) -> Self {
        Self(argument: argument, comparison: UInt32(SBX_GREATER.rawValue), a: value, b: 0)
    }
    static func atMost(_ argument: UInt32, _ value: UInt64) -> Self {
        Self(argument: argument, comparison: UInt32(SBX_LESS_OR_EQUAL.rawValue), a: value, b: 0)
    }
    static func masked(_ argument: UInt32, _ mask: UInt64, _ value: UInt64) -> Self {
        Self(argument: argument, comparison: UInt32(SBX_MASKED_EQUAL.rawValue), a: mask, b: value)
    }
    /// Alternatives for the low 32 bits of one argument, which is how the kernel reads an `int`.
    static func oneOf(_ argument: UInt32, _ values: [Int32], mask: UInt64 = 0xffff_ffff) -> [[Self]] {
        values.map { [masked(argument, mask, UInt64(UInt32(bitPattern: $0)) & mask)] }
    }
}
