internal import CSandbox
internal import CSpawnerProtocol
internal import Glibc

/// Compiles rules into the profile's filter with libseccomp.
enum SeccompFilter {
    /// Writes the compiled program into `profile`.
    ///
    /// - Throws: `SandboxError` of step `seccomp`, naming the call that this libseccomp does not know.
    static func compile(_ rules: [SyscallRule], into profile: UnsafeMutablePointer<sp_profile>) throws(SandboxError) {
        guard let filter = sbx_filter_new(ENOSYS) else {
            throw SandboxError("seccomp", errno: ENOMEM, "libseccomp could not begin a filter")
        }
        defer { sbx_filter_free(filter) }
        for rule in rules {
            for name in rule.names { try add(rule, name, to: filter) }
        }
        try check(sbx_filter_compile(filter, profile), "seccomp", "compiling \(rules.count) rules")
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
