import Sandbox

extension Doctor {
    /// What an ordinary user needs that root has anyway.
    ///
    /// - Parameter read: the text of a file, empty when there is none.
    /// - Returns: one finding for each question.
    static func ordinary(read: (String) -> String) -> [Finding] {
        [subordinateIds(), namespaceSwitches(read), newPrivileges(read), fileLocks]
    }

    private static func subordinateIds() -> Finding {
        do throws(SandboxError) {
            let user = try HostUser.current()
            let ids = try SubordinateIds(of: user, launcher: Installation.launcherPath)
            return ok(
                "privileges",
                "ordinary user \(user.name); boxes get ids from user \(ids.firstUid) and group \(ids.firstGid) on"
            )
        } catch { return missing("privileges", error.detail, "or start faasd as root") }
    }

    /// Two switches by which distributions keep user namespaces from ordinary users.
    static func namespaceSwitches(_ read: (String) -> String) -> Finding {
        for (name, off) in [("unprivileged_userns_clone", "0"), ("apparmor_restrict_unprivileged_userns", "1")]
        where read("/proc/sys/kernel/\(name)").hasPrefix(off) {
            return missing(
                "namespaces",
                "kernel.\(name) is \(off): ordinary users cannot use user namespaces",
                "as root: sysctl kernel.\(name)=\(off == "0" ? "1" : "0")"
            )
        }
        return ok("namespaces", "nothing keeps user namespaces from ordinary users")
    }

    static func newPrivileges(_ read: (String) -> String) -> Finding {
        let line = read("/proc/self/status").split(separator: "\n").first { $0.hasPrefix("NoNewPrivs:") }
        guard line?.hasSuffix("1") == true else { return ok("new privileges", "newuidmap can use its own") }
        return missing(
            "new privileges",
            "this process may gain none, and so newuidmap cannot write id maps",
            "without NoNewPrivileges= in the unit"
        )
    }

    private static let fileLocks = weaker(
        "file locks",
        "none in boxes: an ordinary user cannot make device nodes, and a lock on the host's would be everybody's",
        "start faasd as root where code needs locks, such as SQLite on files"
    )
}
