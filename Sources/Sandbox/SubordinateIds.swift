internal import CSpawnerProtocol
internal import Glibc

/// Ids that root of the host has given to an ordinary user, for use in user namespaces.
///
/// - Source: subuid(5), subgid(5), newuidmap(1).
public struct SubordinateIds: Sendable, Equatable {
    /// First user id for boxes, on the host.
    public var firstUid: UInt32
    /// First group id for boxes, on the host.
    public var firstGid: UInt32
    /// The path of `faasd-userns`, which enters the namespace.
    var launcher: String

    /// What is started instead of the spawner, which is its last argument.
    var launcherWords: [String] { [launcher, String(firstUid), String(firstGid), String(Policy.boxIds)] }

    /// The programs that write the maps; they are root's, and part of the package uidmap.
    static let mappers = ["/usr/bin/newuidmap", "/usr/bin/newgidmap"]

    /// Finds the ranges of a user of this host.
    ///
    /// - Parameters:
    ///   - user: whose.
    ///   - launcher: the path of `faasd-userns`.
    /// - Throws: `SandboxError` of step `user namespace` with the remedy.
    public init(of user: HostUser, launcher: String) throws(SandboxError) {
        for program in Self.mappers + [launcher] where access(program, X_OK) != 0 {
            let remedy = program == launcher ? "install it beside faasd" : "as root: apt-get install uidmap"
            throw SandboxError("user namespace", "\(program) is not there; \(remedy)")
        }
        try self.init(
            name: user.name,
            uid: user.uid,
            subuid: Kernel.text(at: "/etc/subuid"),
            subgid: Kernel.text(at: "/etc/subgid"),
            launcher: launcher
        )
    }

    /// Reads them out of the two files.
    init(name: String, uid: UInt32, subuid: String, subgid: String, launcher: String) throws(SandboxError) {
        firstUid = try Self.first(of: name, uid, in: subuid, "/etc/subuid")
        firstGid = try Self.first(of: name, uid, in: subgid, "/etc/subgid")
        self.launcher = launcher
    }

    /// The beginning of the first range that is large enough.
    private static func first(
        of name: String,
        _ uid: UInt32,
        in text: String,
        _ file: String
    ) throws(SandboxError) -> UInt32 {
        var largest: UInt32 = 0
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3, fields[0] == name || fields[0] == String(uid) else { continue }
            guard let start = UInt32(fields[1]), let count = UInt32(fields[2]), start > 0 else { continue }
            if count >= Policy.boxIds, UInt32.max - start > Policy.boxIds { return start }
            largest = max(largest, count)
        }
        let found = largest == 0 ? "no range" : "a range of \(largest)"
        throw SandboxError(
            "user namespace",
            "\(file) has \(found) for \(name), and boxes need ids of their own, \(Policy.boxIds) in one piece; as root: usermod --add-subuids 200000-265535 --add-subgids 200000-265535 \(name), with numbers that nobody else has"
        )
    }
}
