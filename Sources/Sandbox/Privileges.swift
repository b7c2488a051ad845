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
