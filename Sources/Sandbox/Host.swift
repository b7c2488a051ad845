internal import CSandbox
internal import Glibc

/// What the running kernel and this process can do.
public enum Host {
    /// The control groups found here, with our own group called `name`.
    ///
    /// For root they are anywhere; an ordinary user has those in which this process is, if they were given to the user.
    public static func cgroups(name: String) -> CgroupLayout {
        CgroupLayout(
            mountinfo: Kernel.text(at: "/proc/self/mountinfo"),
            membership: Kernel.text(at: "/proc/self/cgroup"),
            controllers: { Kernel.text(at: $0 + "/cgroup.controllers") },
            isDelegated: { isRoot ? sbx_is_delegated($0) : sbx_is_ours($0) },
            isOrdinary: !isRoot,
            name: name
        )
    }

    /// The Landlock ABI, 0 when the kernel has none: landlock(7).
    public static var landlockABI: UInt32 { sbx_landlock_abi() }

    /// Raises the soft limit of open descriptors to the hard one, and returns it: getrlimit(2).
    public static func raiseDescriptorLimit() -> UInt64 { sbx_raise_descriptor_limit() }

    /// The release of the running kernel, such as `6.12.0-1-amd64`: uname(2).
    public static var kernelRelease: String {
        text(at: "/proc/sys/kernel/osrelease").split(separator: "\n").first.map(String.init) ?? ""
    }

    /// The text of a small file of the kernel, empty when it cannot be read.
    public static func text(at path: String) -> String { Kernel.text(at: path) }

    /// Whether this process runs as root.
    public static var isRoot: Bool { geteuid() == 0 }

    /// Opens a file beneath a directory, following no link anywhere on the way: openat2(2).
    ///
    /// - Throws: `SandboxError` of step `open`, with the path.
    public static func open(
        beneath directory: borrowing Descriptor,
        _ path: String,
        _ flags: CInt,
        mode: UInt32 = 0
    ) throws(SandboxError) -> Descriptor {
        let raw = sbx_open_beneath(directory.raw, path, flags, mode)
        guard raw >= 0 else { throw SandboxError("open", errno: -raw, path) }
        return Descriptor(owning: raw)
    }
}

/// Room on the disk.
public enum Disk {
    /// Free and total bytes of the filesystem behind a descriptor, nil when the kernel does not say: fstatfs(2).
    public static func space(_ descriptor: borrowing Descriptor) -> (freeBytes: UInt64, bytes: UInt64)? {
        var free: UInt64 = 0
        var bytes: UInt64 = 0
        var inodes: UInt64 = 0
        return sbx_space(descriptor.raw, &free, &bytes, &inodes) == 0 ? (free, bytes) : nil
    }
}

/// Whole trees of files.
public enum FileTree {
    /// Removes a directory with everything in it, following no link; nothing when it is not there.
    ///
    /// - Throws: `SandboxError` of step `remove`, with the path.
    public static func remove(_ path: String) throws(SandboxError) {
        try check(sbx_remove_tree(path), "remove", path)
    }

    /// Writes everything of the filesystem behind a descriptor to its disk: syncfs(2).
    ///
    /// - Throws: `SandboxError` of step `sync`.
    public static func sync(_ descriptor: borrowing Descriptor) throws(SandboxError) {
        try check(sbx_sync(descriptor.raw), "sync", "version store")
    }
}

/// A lock on a file that lasts as long as the descriptor, and its copy in the spawner, stays open: flock(2).
public enum FileLock {
    /// Takes the lock, waiting up to `patienceMillis` for a former run to end its boxes.
    ///
    /// - Throws: `SandboxError` of step `lock` when another daemon holds it for longer.
    public static func take(_ path: String, patienceMillis: Int) throws(SandboxError) -> Descriptor {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        var waited = 0
        while true {
            let code = sbx_lock(file.raw)
            if code == 0 { return file }
            guard code == EWOULDBLOCK, waited < patienceMillis else {
                throw SandboxError("lock", errno: code, "\(path): another faasd serves this state directory")
            }
            usleep(20_000)
            waited += 20
        }
    }
}
