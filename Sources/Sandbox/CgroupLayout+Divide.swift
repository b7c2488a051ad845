internal import Glibc

extension CgroupLayout {
    /// Lets the groups of boxes, and ours above them, have limits, where version 2 limits.
    ///
    /// A group gives controllers to its children only while it has no processes itself, unless it is the root of the
    /// hierarchy; in a unit of its own this process, which is alone there, therefore moves to a leaf first. What it
    /// starts afterwards begins there too.
    ///
    /// - Throws: `SandboxError` of step `delegation` when others live in the group, or it was not given the controllers.
    /// - Source: cgroups(7), "No internal processes rule"; `CGROUP_DELEGATION` of systemd.
    func divide() throws(SandboxError) {
        guard unifiedLimits, let base = unified?.base, let slash = base.lastIndex(of: "/") else { return }
        let parent = String(base[..<slash])
        var code = Self.giveControllers(parent)
        if code == EBUSY {
            let leaf = parent + "/" + Self.leaf
            guard mkdir(leaf, 0o755) == 0 || errno == EEXIST else {
                throw SandboxError("delegation", errno: errno, leaf)
            }
            try check(Self.write("0", to: leaf + "/cgroup.procs"), "delegation", "moving to \(leaf)")
            code = Self.giveControllers(parent)
        }
        let remedy = "memory, pids and cpu for groups below \(parent); run faasd as a unit with Delegate=yes"
        try check(code, "delegation", remedy)
        guard mkdir(base, 0o755) == 0 || errno == EEXIST else { throw SandboxError("delegation", errno: errno, base) }
        try check(Self.giveControllers(base), "delegation", "memory, pids and cpu for boxes below \(base)")
    }

    private static func giveControllers(_ group: String) -> CInt {
        write("+memory +pids +cpu", to: group + "/cgroup.subtree_control")
    }

    private static func write(_ word: String, to path: String) -> CInt {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return errno }
        defer { close(file) }
        return Glibc.write(file, word, word.utf8.count) == word.utf8.count ? 0 : errno
    }
}
