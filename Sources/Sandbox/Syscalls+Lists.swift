internal import Glibc

/// The calls that are admitted or refused whatever their arguments.
extension Syscalls {
    static let plain: [SyscallRule] = [
        SyscallRule(
            "read write readv writev pread64 pwrite64 lseek close close_range dup dup2 dup3 pipe pipe2",
            "input and output on descriptors it already has"
        ),
        SyscallRule(
            "openat access faccessat2 fstat newfstatat statx statfs fstatfs readlink getdents64 getcwd chdir fchdir",
            "looking at files; Landlock and the mounts decide which"
        ),
        SyscallRule(
            "mkdir rmdir unlink unlinkat rename link symlink chmod fchmod utimensat umask ftruncate fallocate",
            "working in its own /tmp"
        ),
        SyscallRule("munmap mremap brk", "memory: malloc grows arenas, numpy remaps"),
        SyscallRule(
            "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend sigaltstack alarm pause kill tgkill",
            "signals among its own processes; the pid namespace bounds the targets"
        ),
        SyscallRule("setitimer clock_gettime clock_getres clock_nanosleep nanosleep times", "clocks and timers"),
        SyscallRule(
            "set_robust_list set_tid_address rseq sched_yield sched_getaffinity arch_prctl restart_syscall",
            "threads of the C library and of numerical libraries"
        ),
        SyscallRule(
            "vfork execve exit exit_group wait4 waitid getpid getppid gettid getpgrp setpgid setsid",
            "subprocesses, bounded by the pids limit"
        ),
        SyscallRule(
            "getuid geteuid getgid getegid getgroups uname sysinfo getrusage getrandom",
            "asking who and where it is"
        ),
        SyscallRule("poll ppoll pselect6", "waiting for several things"),
        SyscallRule(
            "connect bind listen accept4 getsockname getpeername shutdown",
            "Unix sockets of multiprocessing; socket() admits no other family"
        ),
    ]

    /// What programs in other languages, older C libraries and event loops need besides.
    static let more: [SyscallRule] = [
        SyscallRule("preadv pwritev preadv2 pwritev2", "input and output of several pieces at a place"),
        SyscallRule(
            "open stat lstat faccessat readlinkat mkdirat renameat linkat symlinkat fchmodat truncate mincore membarrier",
            "the same as in the base, by the names that other languages and older C libraries use"
        ),
        SyscallRule("fchown chown lchown fchownat", "archivers; only to the one user there is"),
        SyscallRule(
            "rt_sigpending rt_sigtimedwait tkill getitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete gettimeofday",
            "signals and timers of other runtimes"
        ),
        SyscallRule(
            "epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 signalfd4 timerfd_create timerfd_settime timerfd_gettime select",
            "event loops"
        ),
        SyscallRule(
            "sched_get_priority_max sched_get_priority_min getcpu getpriority fork getpgid getsid getresuid getresgid capget getrlimit accept",
            "asking, and older names"
        ),
        SyscallRule("personality", "asking only", when: [[.equal(0, 0xffff_ffff)]]),
    ]

    static let sockets: [SyscallRule] = [
        SyscallRule(
            "getsockopt",
            "never SO_PEERPIDFD (77), whose inode others share: what SOL_SOCKET tells of type, buffers, peers, families",
            when: SyscallRule.Condition.oneOf(2, [2, 3, 4, 7, 8, 9, 13, 15, 16, 17, 20, 21, 30, 38, 39, 59, 66, 67])
        ),
        SyscallRule("socket", "AF_UNIX only", when: [[.equal(0, 1)]]),
        SyscallRule("socket", "every other family is absent", when: [[.notEqual(0, 1)]], action: .refuse(EAFNOSUPPORT)),
        SyscallRule("socketpair", "AF_UNIX only", when: [[.equal(0, 1)]]),
        SyscallRule(
            "setsockopt",
            "SOL_SOCKET: reuse, buffers, keepalive, linger, credentials, timeouts: never filters, and never TCP_ULP",
            when: [2, 4, 6, 7, 8, 9, 13, 15, 16, 20, 21, 66, 67].map { [.equal(1, 1), .equal(2, $0)] }
        ),
    ]

    static let network: [SyscallRule] = [
        SyscallRule("getsockopt", "asking sockets of its own; this box has no file locks"),
        SyscallRule("socket", "AF_UNIX, AF_INET, AF_INET6", when: SyscallRule.Condition.oneOf(0, [1, 2, 10])),
        SyscallRule("socketpair", "AF_UNIX only", when: [[.equal(0, 1)]]),
        SyscallRule(
            "setsockopt",
            "socket, IP and IPv6 options; of TCP delays, sizes, keepalive and the like, never TCP_ULP (31)",
            when: [[.equal(1, 1)], [.equal(1, 0)], [.equal(1, 41)]]
                + SyscallRule.Condition.oneOf(2, [1, 2, 3, 4, 5, 6, 9, 12, 18]).map { [.equal(1, 6)] + $0 }
        ),
        SyscallRule(
            "sendmmsg",
            "the resolver sends A and AAAA together, without MSG_OOB and MSG_FASTOPEN",
            when: [[.masked(3, 0x2000_0001, 0)]]
        ),
    ]

    static let refused: [SyscallRule] = [
        SyscallRule(
            "sendfile splice tee vmsplice setrlimit seccomp sched_setscheduler sched_setattr sched_setparam setpriority ioprio_set mknod chroot sethostname setdomainname syslog capset setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid pidfd_open pidfd_send_signal pidfd_getfd process_madvise kcmp name_to_handle_at mbind set_mempolicy migrate_pages move_pages inotify_init inotify_init1 fanotify_init memfd_secret modify_ldt shmget semget msgget mq_open io_setup landlock_create_ruleset landlock_add_rule landlock_restrict_self",
            "callers know how to live without",
            action: .refuse(EPERM)
        ),
        SyscallRule(
            "setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr",
            "file systems without extended attributes answer so, and shutil.copy2 goes on",
            action: .refuse(EOPNOTSUPP)
        ),
    ]

    static let fatal: [SyscallRule] = [
        SyscallRule(
            "ptrace process_vm_readv process_vm_writev bpf perf_event_open kexec_load kexec_file_load init_module finit_module delete_module mount umount2 pivot_root setns unshare fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr reboot swapon swapoff keyctl add_key request_key userfaultfd open_by_handle_at iopl ioperm acct quotactl",
            "no honest library calls these",
            action: .kill
        )
    ]
}
