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

/// What code in a box may ask of the kernel.
///
/// Everything that is not named answers ENOSYS, so that libraries fall back; what honest libraries expect to be
/// forbidden answers EPERM; what only an attack calls kills the process.
enum Syscalls {
    static let general: [SyscallRule] = plain + filtered + noPipes + refused + fatal

    /// For authors' code: named pipes besides, which is how published algorithms answer.
    static let worker: [SyscallRule] = plain + filtered + namedPipes + refused + fatal

    /// For package installation, the one box with a network: sockets of IPv4 and IPv6, and a resolver's batch send.
    static let install: [SyscallRule] =
        plain + filtered.filter { $0.names != ["socket"] && $0.names != ["setsockopt"] } + network + noPipes + refused
        + fatal

    private static let plain: [SyscallRule] = [
        SyscallRule(
            "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range dup dup2 dup3 pipe pipe2",
            "input and output on descriptors it already has"
        ),
        SyscallRule(
            "open openat access faccessat faccessat2 stat fstat lstat newfstatat statx statfs fstatfs readlink readlinkat getdents64 getcwd chdir fchdir",
            "looking at files; Landlock and the mounts decide which"
        ),
        SyscallRule(
            "mkdir mkdirat rmdir unlink unlinkat rename renameat link linkat symlink symlinkat chmod fchmod fchmodat utimensat umask fchown chown lchown fchownat ftruncate truncate fallocate flock",
            "working in its own /tmp"
        ),
        SyscallRule("munmap mremap brk mincore membarrier", "memory: malloc grows arenas, numpy remaps"),
        SyscallRule(
            "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack tkill alarm pause kill tgkill",
            "signals among its own processes; the pid namespace bounds the targets"
        ),
        SyscallRule(
            "getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday times",
            "clocks and timers"
        ),
        SyscallRule(
            "set_robust_list set_tid_address rseq sched_yield sched_getaffinity sched_setaffinity sched_get_priority_max sched_get_priority_min getcpu getpriority arch_prctl restart_syscall",
            "threads of the C library and of numerical libraries"
        ),
        SyscallRule(
            "fork vfork execve exit exit_group wait4 waitid getpid getppid gettid getpgrp getpgid setpgid getsid setsid",
            "subprocesses, bounded by the pids limit"
        ),
        SyscallRule(
            "getuid geteuid getgid getegid getresuid getresgid getgroups capget uname sysinfo getrlimit getrusage getrandom",
            "asking who and where it is"
        ),
        SyscallRule(
            "poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 signalfd4",
            "waiting for several things"
        ),
        SyscallRule(
            "connect bind listen accept accept4 getsockname getpeername getsockopt shutdown",
            "Unix sockets of multiprocessing; socket() admits no other family"
        ),
    ]

    private static let namespaceFlags: UInt64 = 0x7E02_0080
    private static let outOfBandOrFastOpen: UInt64 = 0x2000_0001
    private static let hugePages: UInt64 = 0x4_0000

    private static let filtered: [SyscallRule] = [
        SyscallRule("clone", "threads and processes, without new namespaces", when: [[.masked(0, namespaceFlags, 0)]]),
        SyscallRule("socket", "AF_UNIX only", when: [[.equal(0, 1)]]),
        SyscallRule("socket", "every other family is absent", when: [[.notEqual(0, 1)]], action: .refuse(EAFNOSUPPORT)),
        SyscallRule("socketpair", "AF_UNIX only", when: [[.equal(0, 1)]]),
        SyscallRule(
            "setsockopt",
            "SOL_SOCKET: reuse, buffers, keepalive, linger, credentials, timeouts: never filters, and never TCP_ULP",
            when: [2, 4, 6, 7, 8, 9, 13, 15, 16, 20, 21, 66, 67].map { [.equal(1, 1), .equal(2, $0)] }
        ),
        SyscallRule("msync", "not MS_SYNC, which would flush the host's disk", when: [[.masked(2, 4, 0)]]),
        SyscallRule("msync", "what a box writes is in memory", when: [[.masked(2, 4, 4)]], action: .pretend),
        SyscallRule(
            "fsync fdatasync",
            "what a box writes is in memory, and on its read-only files it would flush the host's disk",
            action: .pretend
        ),
        SyscallRule("fadvise64", "advice that would evict the page cache of files all share", action: .pretend),
        SyscallRule(
            "sendto recvfrom",
            "without MSG_OOB and MSG_FASTOPEN",
            when: [[.masked(3, outOfBandOrFastOpen, 0)]]
        ),
        SyscallRule(
            "sendmsg recvmsg",
            "without MSG_OOB and MSG_FASTOPEN",
            when: [[.masked(2, outOfBandOrFastOpen, 0)]]
        ),
        SyscallRule(
            "ioctl",
            "TCGETS TIOCGWINSZ FIONREAD FIOCLEX FIONCLEX FIONBIO: never TIOCSTI",
            when: SyscallRule.Condition.oneOf(1, [0x5401, 0x5413, 0x541B, 0x5451, 0x5450, 0x5421])
        ),
        SyscallRule(
            "prctl",
            "SET/GET_NAME GET/SET_DUMPABLE CAPBSET_READ SET_THP_DISABLE GET/SET_NO_NEW_PRIVS SET_VMA SET_TIMERSLACK",
            when: SyscallRule.Condition.oneOf(0, [15, 16, 3, 4, 23, 41, 38, 39, 0x5356_4d41, 29])
        ),
        SyscallRule(
            "fcntl",
            "duplicates, flags, locks, pipe sizes, seals: no leases, no signals to owners",
            when: SyscallRule.Condition.oneOf(1, [0, 1, 2, 3, 4, 5, 6, 7, 1030, 36, 37, 38, 1031, 1032, 1033, 1034])
        ),
        SyscallRule(
            "mmap",
            "never writable and executable at once, and no huge pages, which no limit of memory counts",
            when: [
                [.masked(2, 2, 0), .masked(3, hugePages, 0)], [.masked(2, 4, 0), .masked(3, hugePages, 0)],
            ]
        ),
        SyscallRule(
            "mprotect",
            "never writable and executable at once",
            when: [[.masked(2, 2, 0)], [.masked(2, 4, 0)]]
        ),
        SyscallRule(
            "madvise",
            "hints, without HWPOISON, MERGEABLE, SOFT_OFFLINE",
            when: SyscallRule.Condition.oneOf(2, [0, 1, 2, 3, 4, 8, 9, 10, 11, 14, 15, 16, 17, 18, 20, 21, 22, 23])
        ),
        SyscallRule("prlimit64", "reading its own limits", when: [[.equal(0, 0), .equal(2, 0)]]),
        SyscallRule(
            "futex",
            "locks of the C library",
            when: SyscallRule.Condition.oneOf(1, [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], mask: 0x7f)
        ),
        SyscallRule("personality", "asking only", when: [[.equal(0, 0xffff_ffff)]]),
    ]

    private static let namedPipes = [
        SyscallRule("mknodat", "named pipes, no other kind of node", when: [[.masked(2, 0o170000, 0o010000)]])
    ]

    private static let noPipes = [SyscallRule("mknodat", "nobody needs a node here", action: .refuse(EPERM))]

    private static let network: [SyscallRule] = [
        SyscallRule("socket", "AF_UNIX, AF_INET, AF_INET6", when: SyscallRule.Condition.oneOf(0, [1, 2, 10])),
        SyscallRule(
            "setsockopt",
            "socket, TCP and IPv6 options, never TCP_ULP (31)",
            when: [
                [.equal(1, 1)], [.equal(1, 0)], [.equal(1, 41)], [.equal(1, 6), .notEqual(2, 31)],
            ]
        ),
        SyscallRule("sendmmsg", "the resolver sends A and AAAA together", when: [[.masked(3, outOfBandOrFastOpen, 0)]]),
    ]

    private static let refused: [SyscallRule] = [
        SyscallRule(
            "sendfile splice tee vmsplice setrlimit seccomp sched_setscheduler sched_setattr sched_setparam setpriority ioprio_set mknod chroot sethostname setdomainname syslog capset setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid pidfd_open pidfd_send_signal pidfd_getfd process_madvise kcmp name_to_handle_at mbind set_mempolicy migrate_pages move_pages inotify_init inotify_init1 fanotify_init memfd_secret modify_ldt shmget semget msgget mq_open io_setup landlock_create_ruleset landlock_add_rule landlock_restrict_self",
            "callers know how to live without",
            action: .refuse(EPERM)
        )
    ]

    private static let fatal: [SyscallRule] = [
        SyscallRule(
            "ptrace process_vm_readv process_vm_writev bpf perf_event_open kexec_load kexec_file_load init_module finit_module delete_module mount umount2 pivot_root setns unshare fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr reboot swapon swapoff keyctl add_key request_key userfaultfd open_by_handle_at iopl ioperm acct quotactl",
            "no honest library calls these",
            action: .kill
        )
    ]
}
