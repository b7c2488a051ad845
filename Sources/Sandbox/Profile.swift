internal import CSpawnerProtocol
internal import Glibc

/// What a kind of box contains and may do: mounts, Landlock rules, limits, program, environment, system calls.
///
/// Profiles are data. Swift builds them, C applies them, and nothing in them comes from a tenant.
public struct Profile: Sendable {
    /// The kinds of box, in the order in which the spawner knows them.
    public enum Kind: UInt16, Sendable, CaseIterable {
        /// Runs an author's code.
        case worker
        /// Takes an uploaded archive apart; no network.
        case unpack
        /// Installs packages by name; the host's network, no code of a tenant.
        case install
        /// An interpreter that has loaded what workers need and is forked for each of them; no byte of a tenant.
        case zygote
    }

    enum Mount: Sendable, Equatable {
        case directory(String, at: String)
        case file(String, at: String)
        case text(String, at: String)
        case symlink(String, at: String)
        case point(String)
        case device(String, at: String)
    }

    var kind: Kind
    var mounts: [Mount]
    var rules: [(path: String, access: UInt64)]
    /// The program and its words.
    package var arguments: [String]
    var environment: [(name: String, value: String)]
    var rlimits: [(resource: UInt32, value: UInt64)]
    var syscalls: [SyscallRule]
    var usesHostNetwork: Bool
    var showsVersion: Bool
    /// How many listening sockets of the daemon there are in the box's network; 0 for boxes without any network.
    var listeners = 0

    /// The profile of one kind.
    ///
    /// - Parameters:
    ///   - kind: which box.
    ///   - runtime: the host's directory with the Python runtime's files, mounted on `/rt`.
    ///   - pip: the operator's `PIP_*` settings, passed to package installation only.
    ///   - calls: which system calls a worker may make.
    ///   - zygoteLibrary: the path of the library by which a zygote forks; zygotes need it, others do not.
    ///   - sharesDevices: whether the spawner cannot make devices, so that boxes see the host's. Then no box has file
    ///     locks, because locks on the host's devices would be everybody's.
    public init(
        _ kind: Kind,
        runtime: String,
        pip: [(name: String, value: String)] = [],
        calls: SyscallProfile = .python,
        zygoteLibrary: String = "",
        sharesDevices: Bool = false
    ) {
        self.kind = kind
        usesHostNetwork = kind == .install
        showsVersion = kind == .worker
        mounts = Self.baseMounts(runtime: runtime) + (kind == .install ? Self.networkMounts : [])
        if kind == .zygote { mounts += [.point("roots"), .file(zygoteLibrary, at: "faasd-zygote.so")] }
        if sharesDevices { mounts += Self.deviceMounts }
        rules = Self.rules
        // Its forks set their own, and could not raise its.
        rlimits = kind == .zygote ? [] : Self.rlimits(files: kind == .install ? 1_024 : 256)
        syscalls = Self.syscalls(kind, calls)
        if sharesDevices { syscalls = Syscalls.withoutLocks(syscalls) }
        environment = Self.environment + (kind == .install ? pip : [])
        arguments = Self.arguments(kind)
    }

    private static func syscalls(_ kind: Kind, _ calls: SyscallProfile) -> [SyscallRule] {
        switch kind {
        case .worker, .zygote: Syscalls.worker(calls)
        case .unpack: Syscalls.unpack
        case .install: Syscalls.install
        }
    }

    private static func arguments(_ kind: Kind) -> [String] {
        switch kind {
        case .worker: ["/usr/bin/python3", "-I", "-S", "-B", "-u", "/rt/worker.py"]
        case .unpack: ["/usr/bin/python3", "-I", "-S", "-B", "-u", "/rt/unpack.py"]
        case .install: ["/usr/bin/python3", "-I", "-B", "-u", "/rt/install.py"]
        case .zygote: ["/usr/bin/python3", "-I", "-S", "-B", "-u", "/rt/zygote.py"]
        }
    }

    private static let environment: [(name: String, value: String)] = [
        ("PATH", "/usr/bin:/bin"), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("TZ", "UTC"),
        ("PYTHONUNBUFFERED", "1"), ("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1"),
    ]

    private static func baseMounts(runtime: String) -> [Mount] {
        [
            .directory("/usr", at: "usr"),
            .symlink("usr/bin", at: "bin"), .symlink("usr/sbin", at: "sbin"),
            .symlink("usr/lib", at: "lib"), .symlink("usr/lib64", at: "lib64"),
            .file("/etc/ld.so.cache", at: "etc/ld.so.cache"),
            .file("/etc/localtime", at: "etc/localtime"),
            .directory("/etc/alternatives", at: "etc/alternatives"),
            .text("root:x:0:0::/tmp:/usr/sbin/nologin\nfn:x:1000:1000::/tmp:/usr/sbin/nologin\n", at: "etc/passwd"),
            .text("root:x:0:\nfn:x:1000:\n", at: "etc/group"),
            .text("passwd: files\ngroup: files\nhosts: files dns\n", at: "etc/nsswitch.conf"),
            .point("dev"), .point("proc"), .point("tmp"), .point("env"),
            .point(String(SP_VERSION_PLACE.dropFirst())), .symlink(String(SP_VERSION_PLACE.dropFirst()), at: "fn"),
            .directory(runtime, at: "rt"),
            // Where Algorithmia put an algorithm and its user; published code names both.
            .symlink("/fn/code", at: "opt/algorithm"), .symlink("/tmp", at: "home/algo"),
        ]
    }

    private static let deviceMounts: [Mount] =
        ["null", "zero", "full", "random", "urandom"].map { .device("/dev/" + $0, at: "dev/" + $0) }
        + [.point("dev/shm"), .symlink("/proc/self/fd", at: "dev/fd")]

    private static let networkMounts: [Mount] = [
        .file("/etc/resolv.conf", at: "etc/resolv.conf"), .file("/etc/hosts", at: "etc/hosts"),
        .file("/etc/pip.conf", at: "etc/pip.conf"), .directory("/etc/ssl", at: "etc/ssl"),
    ]

    private static let rules: [(path: String, access: UInt64)] = [
        ("/", Landlock.readDirectory), ("/usr", Landlock.readExecute), ("/etc", Landlock.read),
        ("/rt", Landlock.read), ("/env", Landlock.readExecute),
        // Above the place of the version, which may be mounted later: a rule on a directory is not one on its mounts.
        ("/opt", Landlock.readExecute),
        // Never write: /proc/self/mem would write through read-only pages and undo W^X.
        ("/proc", Landlock.read),
        ("/dev/null", Landlock.readFile | Landlock.writeFile), ("/dev/zero", Landlock.readFile | Landlock.writeFile),
        ("/dev/full", Landlock.readFile | Landlock.writeFile), ("/dev/random", Landlock.readFile),
        ("/dev/urandom", Landlock.readFile),
        ("/tmp", Landlock.write), ("/dev/shm", Landlock.write),
    ]

    private static func rlimits(files: UInt64) -> [(resource: UInt32, value: UInt64)] {
        [
            // 1, not 0: a core_pattern that pipes to a program ignores 0 and gives up at 1.
            (UInt32(RLIMIT_CORE.rawValue), 1), (UInt32(RLIMIT_NOFILE.rawValue), files),
            (UInt32(RLIMIT_STACK.rawValue), 16 << 20), (UInt32(__RLIMIT_MEMLOCK.rawValue), 0),
            (UInt32(RLIMIT_FSIZE.rawValue), 0 /* the spawner puts the size of /tmp */),
            (UInt32(__RLIMIT_NPROC.rawValue), 512), (UInt32(__RLIMIT_MSGQUEUE.rawValue), 0),
            (UInt32(__RLIMIT_RTPRIO.rawValue), 0), (UInt32(__RLIMIT_NICE.rawValue), 0),
            (UInt32(__RLIMIT_SIGPENDING.rawValue), 128),
        ]
    }
}
