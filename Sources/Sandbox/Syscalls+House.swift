internal import Glibc

/// What our own two programs may ask of the kernel.
extension Syscalls {
    /// The spawner's own calls, and by inheritance whatever its boxes may make.
    ///
    /// A box's own filter is installed above this one, and the stricter answer of the two counts. What only an attack
    /// calls, and neither the spawner nor a setup needs, kills here too.
    ///
    /// - Parameter boxes: the rules of every profile.
    /// - Returns: the rules of the spawner's filter.
    static func spawner(_ boxes: [[SyscallRule]]) -> [SyscallRule] {
        let setup = SyscallRule(
            "clone3 unshare setns mount umount2 pivot_root open_tree move_mount fsopen fsconfig fsmount mount_setattr openat2 mkdirat mknodat unlinkat symlinkat sethostname setdomainname setresuid setresgid setgroups setrlimit capset capget prctl seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self pidfd_send_signal pidfd_open sendfile sendmsg recvmsg recvfrom fchownat waitid pause fcntl ioctl",
            "making and ending boxes, from the first mount to the filter of the box"
        )
        let ofBoxes = Set(boxes.joined().filter { $0.action == .allow || $0.action == .pretend }.flatMap(\.names))
        let general = ofBoxes.union(base.flatMap(\.names)).subtracting(setup.names)
        let never = Set(fatal.flatMap(\.names)).subtracting(setup.names)
        return [
            setup,
            SyscallRule(general.sorted().joined(separator: " "), "what boxes and the C library call"),
            SyscallRule(never.sorted().joined(separator: " "), "no honest library calls these", action: .kill),
        ]
    }

    /// The daemon's calls: an HTTP server and a database, which starts no program and makes no process.
    static var daemon: [SyscallRule] {
        let filtered: Set = [
            "getsockopt", "clone", "ioctl", "mmap", "mprotect", "execve", "vfork", "fork", "mknodat", "personality",
        ]
        let asInBoxes = Set((base + more + sockets).flatMap(\.names)).subtracting(filtered)
        let own = [
            "flock", "sync_file_range", "syncfs", "openat2", "renameat2", "utime", "utimes", "sendfile", "epoll_create",
            "epoll_pwait2", "recvmmsg", "sendmmsg", "setrlimit", "sched_getparam", "sched_getscheduler",
        ]
        return [
            SyscallRule(asInBoxes.union(own).sorted().joined(separator: " "), "files, sockets, threads, clocks"),
            SyscallRule(
                "ioctl",
                "what boxes may ask, and addresses and names of interfaces: never TIOCSTI",
                when: SyscallRule.Condition.oneOf(
                    1,
                    [0x5401, 0x5411, 0x5413, 0x541B, 0x5451, 0x5450, 0x5421, 0x8910, 0x8912, 0x8913, 0x8915, 0x8933]
                )
            ),
            SyscallRule("getsockopt", "asking its sockets"),
            SyscallRule("clone", "threads, never processes", when: [[.masked(0, 0x1_0000, 0x1_0000)]]),
            SyscallRule(
                "mmap mprotect",
                "never writable and executable at once",
                when: [[.masked(2, 2, 0)], [.masked(2, 4, 0)]]
            ),
            SyscallRule("execve execveat fork vfork", "it starts nothing any more", action: .refuse(EPERM)),
        ] + fatal
    }
}
