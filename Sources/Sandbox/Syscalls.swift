internal import Glibc

/// The sets of system calls that a worker's box may be given.
///
/// Everything that a set does not name answers ENOSYS, so that libraries fall back; what honest libraries expect to
/// be forbidden answers EPERM; what only an attack calls kills the process.
public enum SyscallProfile: String, Sendable, CaseIterable {
    /// What CPython and its numerical libraries need: file locks, but no epoll, eventfd, timerfd or signalfd.
    ///
    /// Those four live on one inode of the kernel that all boxes and the host share, and a lock on it is seen by all
    /// of them: a box has them or file locks, never both.
    case python
    /// Programs of any language that wait with epoll; file locks answer ENOLCK.
    case general
    /// `general`, and memory that is writable and executable, with protection keys: for compilers at run time.
    case jit
    /// `general`, and memory that is writable and executable.
    case native

    /// The rules of the set, each with its reason.
    var rules: [SyscallRule] {
        switch self {
        case .python: Syscalls.base + Syscalls.strictMemory + Syscalls.locks
        case .general: Syscalls.base + Syscalls.more + Syscalls.strictMemory + Syscalls.noLocks
        case .jit: Syscalls.base + Syscalls.more + Syscalls.freeMemory + Syscalls.protectionKeys + Syscalls.noLocks
        case .native: Syscalls.base + Syscalls.more + Syscalls.freeMemory + Syscalls.noLocks
        }
    }
}

/// What code in a box may ask of the kernel.
enum Syscalls {
    /// For authors' code: named pipes besides, which is how published algorithms answer.
    static func worker(_ profile: SyscallProfile) -> [SyscallRule] {
        profile.rules + sockets + namedPipes + refused + fatal
    }

    /// For taking archives apart.
    static let unpack: [SyscallRule] = SyscallProfile.python.rules + sockets + noPipes + refused + fatal

    /// For package installation, the one box with a network: sockets of IPv4 and IPv6, and a resolver's batch send.
    static let install: [SyscallRule] = SyscallProfile.general.rules + network + noPipes + refused + fatal

    private static let namespaceFlags: UInt64 = 0x7E02_0080
    private static let clonePidfd: UInt64 = 0x1000
    private static let outOfBandOrFastOpen: UInt64 = 0x2000_0001
    private static let hugePages: UInt64 = 0x4_0000

    /// What every set has, beside memory and locks.
    static let base: [SyscallRule] =
        plain + [
            SyscallRule(
                "clone",
                "threads and processes, without new namespaces and without a process descriptor",
                when: [[.masked(0, namespaceFlags | clonePidfd, 0)]]
            ),
            SyscallRule("msync", "not MS_SYNC, which would flush the host's disk", when: [[.masked(2, 4, 0)]]),
            SyscallRule("msync", "what a box writes is in memory", when: [[.masked(2, 4, 4)]], action: .pretend),
            SyscallRule(
                "fsync fdatasync",
                "what a box writes is in memory, and on its read-only files it would flush the host's disk",
                action: .pretend
            ),
            SyscallRule(
                "sched_setaffinity",
                "the kernel's own threads would move the box's, half a processor's worth and on no bill",
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
                "duplicates, flags, pipe sizes, seals: no leases, no signals to owners",
                when: SyscallRule.Condition.oneOf(1, [0, 1, 2, 3, 4, 1030, 1031, 1032, 1033, 1034])
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
        ]

    static let strictMemory: [SyscallRule] = [
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
    ]

    static let freeMemory: [SyscallRule] = [
        SyscallRule("mmap", "no huge pages, which no limit of memory counts", when: [[.masked(3, hugePages, 0)]]),
        SyscallRule("mprotect", "compilers at run time write the code that they execute"),
    ]

    static let protectionKeys = [
        SyscallRule("pkey_alloc pkey_free pkey_mprotect", "V8 guards the code it writes with protection keys")
    ]

    static let locks: [SyscallRule] = [
        SyscallRule("flock", "locks of files: every inode that a box can open is its own"),
        SyscallRule(
            "fcntl",
            "locks of records, of processes and of descriptors",
            when: SyscallRule.Condition.oneOf(1, [5, 6, 7, 36, 37, 38])
        ),
    ]

    /// Where epoll and its kin are: their one inode is shared with everybody, and so would be a lock on it.
    static let noLocks: [SyscallRule] = [
        SyscallRule("flock", "a lock on the kernel's anonymous inode is seen by all boxes", action: .refuse(ENOLCK)),
        SyscallRule(
            "fcntl",
            "the same, of records",
            when: SyscallRule.Condition.oneOf(1, [5, 6, 7, 36, 37, 38]),
            action: .refuse(ENOLCK)
        ),
    ]

    /// The same rules with `noLocks` instead of `locks`: where boxes share inodes with others after all.
    static func withoutLocks(_ rules: [SyscallRule]) -> [SyscallRule] {
        let locking = locks + noLocks
        return rules.filter { rule in
            !locking.contains { $0.names == rule.names && $0.alternatives == rule.alternatives }
        } + noLocks
    }

    private static let namedPipes = [
        SyscallRule("mknodat", "named pipes, no other kind of node", when: [[.masked(2, 0o170000, 0o010000)]])
    ]

    private static let noPipes = [SyscallRule("mknodat", "nobody needs a node here", action: .refuse(EPERM))]
}
