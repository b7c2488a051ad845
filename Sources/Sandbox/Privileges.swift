internal import CSandbox
internal import Glibc

/// A user of this host.
public struct HostUser: Sendable, Equatable {
    /// Name, as in passwd(5).
    public var name: String
    /// Numeric user id.
    public var uid: UInt32
    /// Numeric primary group id.
    public var gid: UInt32

    /// The user of this process, who must not be root.
    ///
    /// - Throws: `SandboxError` of step `user` when the host does not know the name.
    public static func current() throws(SandboxError) -> HostUser {
        guard let entry = getpwuid(getuid()) else {
            throw SandboxError("user", "user id \(getuid()) has no name in passwd(5), which its ranges of ids go by")
        }
        return try HostUser(named: String(cString: entry.pointee.pw_name))
    }

    /// Looks a user up by name.
    ///
    /// - Throws: `SandboxError` of step `user` with the remedy when there is no such user, or it is root.
    public init(named name: String) throws(SandboxError) {
        guard let entry = getpwnam(name) else {
            throw SandboxError(
                "user",
                "there is no user \(name); make one with: useradd --system --no-create-home \(name)"
            )
        }
        guard entry.pointee.pw_uid != 0 else {
            throw SandboxError("user", "\(name) is root; faasd serves as another user")
        }
        self.name = name
        uid = entry.pointee.pw_uid
        gid = entry.pointee.pw_gid
    }
}

/// Giving up what root had.
public enum Privileges {
    /// Becomes `user` for good, with no groups, no capabilities, an empty bounding set, no new privileges, and a filter
    /// of system calls under which no program can be started.
    ///
    /// Must be called while the process has a single thread, because the kernel keeps capabilities per thread.
    /// - Throws: `SandboxError` of step `credentials`; the process must then end.
    public static func drop(to user: HostUser) throws(SandboxError) {
        try check(sbx_drop_privileges(user.uid, user.gid), "credentials", "becoming \(user.name) (uid \(user.uid))")
        try SeccompFilter(Syscalls.daemon).load()
    }

    /// Confines an ordinary user's process: no capabilities, no new privileges, the same filter as `drop`, and under
    /// Landlock: it may change files beneath the given directories only, and can look into no process that is not
    /// confined likewise, such as the spawner.
    ///
    /// Without the last, whoever takes over the daemon would have the spawner's memory, and by path the control groups
    /// of boxes, since all belong to one user.
    /// Must be called while the process has a single thread.
    ///
    /// - Parameter places: directories in which files may be changed, such as the state directory.
    /// - Throws: `SandboxError` of step `credentials`; the process must then end.
    public static func confine(to places: [String]) throws(SandboxError) {
        let rights = Landlock.ofThisKernel.fileRights
        let reading = Landlock.readFile | Landlock.readDirectory
        let copies: [UnsafeMutablePointer<CChar>?] = places.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let code = copies.map { UnsafePointer($0) }.withUnsafeBufferPointer {
            sbx_confine(rights & ~reading, rights & ~reading & ~Landlock.execute, $0.baseAddress, places.count)
        }
        try check(code, "credentials", "confining this process to \(places.joined(separator: ", "))")
        try SeccompFilter(Syscalls.daemon).load()
    }

    /// Gives a directory to a user, without following links.
    ///
    /// - Throws: `SandboxError` of step `credentials`, with the path.
    public static func giveDirectory(_ path: String, to user: HostUser, mode: UInt32) throws(SandboxError) {
        let directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        guard fchown(directory.raw, user.uid, user.gid) == 0, fchmod(directory.raw, mode) == 0 else {
            throw SandboxError("credentials", errno: errno, "giving \(path) to \(user.name)")
        }
    }
}
