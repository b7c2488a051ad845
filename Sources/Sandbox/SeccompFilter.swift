internal import CSandbox
internal import CSpawnerProtocol
internal import Glibc

/// A list of rules as libseccomp builds it; everything that no rule names answers ENOSYS.
struct SeccompFilter: ~Copyable {
    private let filter: OpaquePointer

    /// Collects the rules.
    ///
    /// - Throws: `SandboxError` of step `seccomp`, naming the call that this libseccomp does not know.
    init(_ rules: [SyscallRule]) throws(SandboxError) {
        filter = try Self.build(rules)
    }

    deinit { sbx_filter_free(filter) }

    /// Writes the program into a table of `SP_FILTER_MAX` instructions.
    ///
    /// - Returns: how many instructions it has.
    /// - Throws: `SandboxError` of step `seccomp` when it does not fit.
    borrowing func compile(into program: UnsafeMutablePointer<sock_filter>) throws(SandboxError) -> UInt32 {
        var count: UInt32 = 0
        try check(sbx_filter_compile(filter, program, &count), "seccomp", "compiling a filter")
        return count
    }

    /// Puts this process, which must have one thread and no new privileges, under the filter for good.
    ///
    /// - Throws: `SandboxError` of step `seccomp` when the kernel refuses.
    borrowing func load() throws(SandboxError) { try check(sbx_filter_load(filter), "seccomp", "loading a filter") }

    private static func build(_ rules: [SyscallRule]) throws(SandboxError) -> OpaquePointer {
        guard let filter = sbx_filter_new(ENOSYS) else {
            throw SandboxError("seccomp", errno: ENOMEM, "libseccomp could not begin a filter")
        }
        do throws(SandboxError) {
            for rule in rules {
                for name in rule.names { try add(rule, name, to: filter) }
            }
        } catch {
            sbx_filter_free(filter)
            throw error
        }
        return filter
    }

    private static func add(_ rule: SyscallRule, _ name: String, to filter: OpaquePointer) throws(SandboxError) {
        let alternatives = rule.alternatives.isEmpty ? [[]] : rule.alternatives
        for conditions in alternatives {
            let rows = conditions.map {
                sbx_condition(argument: $0.argument, comparison: $0.comparison, a: $0.a, b: $0.b)
            }
            let code = sbx_filter_add(filter, number(rule.action), name, rows, UInt32(rows.count))
            // A call that this libseccomp is too old to name gets the default, which refuses it too.
            if code == ENOSYS && rule.action != .allow { continue }
            try check(code, "seccomp", "rule for \(name) (\(rule.reason))")
        }
    }

    private static func number(_ action: SyscallRule.Action) -> Int32 {
        switch action {
        case .allow: Int32(SBX_ALLOW.rawValue)
        case .refuse(let errno): errno
        case .kill: Int32(SBX_KILL.rawValue)
        case .pretend: Int32(SBX_PRETEND.rawValue)
        }
    }
}
