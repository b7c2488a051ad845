/// Where this host keeps the control-group hierarchies we need, and what each of them does.
///
/// Version 1, version 2 and hybrid hosts (controllers on version 1 beside an empty version 2 mount) are told apart
/// per controller, from two files of the kernel; nothing is guessed from the distribution.
/// - Source: cgroups(7); `/proc/self/mountinfo` in proc(5).
public struct CgroupLayout: Sendable, Equatable {
    /// One hierarchy: our own group in it, and the group this process was in (version 1 only).
    public struct Group: Sendable, Equatable {
        /// The directory in which a box's group is made.
        public var base: String
        /// The directory whose `tasks` the spawner returns to.
        public var home: String
    }

    /// The version 2 hierarchy: kill, freeze and CPU time, and the limits where `unifiedLimits` says so.
    public var unified: Group?
    /// Whether memory, pids and cpu are controllers of the version 2 hierarchy.
    public var unifiedLimits: Bool
    /// Version 1 hierarchies by controller: `memory`, `pids`, `cpu`, `cpuacct`, `freezer`.
    public var legacy: [String: Group]

    /// What is missing for limits and for killing, empty on a host that will do.
    public var missing: [String] {
        var missing: [String] = []
        if !unifiedLimits { missing += ["memory", "pids", "cpu"].filter { legacy[$0] == nil } }
        if unified == nil { missing += ["cpuacct", "freezer"].filter { legacy[$0] == nil } }
        return missing
    }

    /// What was found, in one line for people.
    public var summary: String {
        if unifiedLimits { return "version 2 (memory, pids, cpu, kill, freeze, CPU time)" }
        let controllers = legacy.keys.sorted().joined(separator: ", ")
        return unified == nil
            ? "version 1 (\(controllers))" : "hybrid (version 1: \(controllers); version 2: kill, freeze, CPU time)"
    }

    /// Reads the layout out of the kernel's two texts.
    ///
    /// - Parameters:
    ///   - mountinfo: the text of `/proc/self/mountinfo`.
    ///   - membership: the text of `/proc/self/cgroup`.
    ///   - controllers: the text of `cgroup.controllers` in a version 2 group, empty when there is none.
    ///   - isDelegated: whether a group was left to us: by systemd, to root; by its owner and mode, to an ordinary user.
    ///   - isOrdinary: whether we may only use groups that were left to us.
    ///   - name: the name of our own group in each hierarchy.
    public init(
        mountinfo: String,
        membership: String,
        controllers: (String) -> String,
        isDelegated: (String) -> Bool,
        isOrdinary: Bool = false,
        name: String
    ) {
        let mounts = mountinfo.split(separator: "\n").compactMap(Mount.init)
        let memberships = Self.parse(membership: membership)
        unified = nil
        unifiedLimits = false
        legacy = [:]
        if let mount = mounts.first(where: { $0.type == "cgroup2" }) {
            let home = mount.path(of: Self.withoutLeaf(memberships[""] ?? "/"))
            let text = controllers(isOrdinary ? home : mount.point)
            let found = Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
            unifiedLimits = found.isSuperset(of: ["memory", "pids", "cpu"])
            if isOrdinary {
                unified = isDelegated(home) ? Group(base: home + "/" + name, home: "") : nil
                unifiedLimits = unifiedLimits && unified != nil
            } else {
                let unit = unifiedLimits ? Self.unit(memberships[""] ?? "/") : ""
                let own = isDelegated(mount.point + unit) ? unit : ""
                unified = Group(base: mount.point + own + "/" + name, home: "")
            }
        }
        guard !unifiedLimits else { return }
        let wanted = unified == nil ? ["memory", "pids", "cpu", "cpuacct", "freezer"] : ["memory", "pids", "cpu"]
        for controller in wanted {
            guard let mount = mounts.first(where: { $0.type == "cgroup" && $0.options.contains(controller) }) else {
                continue
            }
            let home = mount.path(of: memberships[controller] ?? "/")
            if isOrdinary, !isDelegated(home) { continue }
            legacy[controller] = Group(base: (isOrdinary ? home : mount.point) + "/" + name, home: home)
        }
    }

    /// The leaf of a unit's group in which the daemon and its spawner live, beside the group of the boxes.
    static let leaf = "supervisor"

    /// The group of the systemd service in which this process is, the service's own or its leaf; empty in a login session.
    private static func unit(_ path: String) -> String {
        let unit = withoutLeaf(path)
        return unit.hasSuffix(".service") ? unit : ""
    }

    private static func withoutLeaf(_ path: String) -> String {
        path.hasSuffix("/" + leaf) ? String(path.dropLast(leaf.count + 1)) : path
    }

    private static func parse(membership: String) -> [String: String] {
        var result: [String: String] = [:]
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                result[String(controller)] = String(fields[2])
            }
        }
        return result
    }
}

private struct Mount {
    let root: String
    let point: String
    let type: String
    let options: Set<String>

    /// Reads a line of the form `36 35 98:0 /root /point options optional… - type source super-options`.
    init?(_ line: Substring) {
        let fields = line.split(separator: " ").map(String.init)
        guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 2 else { return nil }
        root = fields[3]
        point = fields[4]
        type = fields[dash + 1]
        options = Set((fields.count > dash + 3 ? fields[dash + 3] : "").split(separator: ",").map(String.init))
    }

    /// Where a group of this hierarchy is in the file system.
    func path(of group: String) -> String {
        let below = group.hasPrefix(root) ? String(group.dropFirst(root == "/" ? 0 : root.count)) : ""
        return point + (below == "/" ? "" : below)
    }
}
