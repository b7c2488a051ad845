import Testing

@testable import Sandbox

@Suite struct CgroupLayoutTests {
    private let hybrid = """
        24 22 0:21 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
        25 24 0:22 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw
        27 24 0:24 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
        28 24 0:25 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 master:3 - cgroup cgroup rw,cpu,cpuacct
        29 24 0:26 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids
        """

    @Test func `a hybrid host limits with version 1 and kills with version 2`() {
        let layout = CgroupLayout(
            mountinfo: hybrid,
            membership: "4:memory:/user/a\n3:cpu,cpuacct:/\n2:pids:/b\n0::/\n",
            controllers: { _ in "" },
            isDelegated: { _ in false },
            name: "faasd-x"
        )
        #expect(layout.unified?.base == "/sys/fs/cgroup/unified/faasd-x")
        #expect(!layout.unifiedLimits)
        #expect(
            layout.legacy["memory"]
                == .init(base: "/sys/fs/cgroup/memory/faasd-x", home: "/sys/fs/cgroup/memory/user/a")
        )
        #expect(layout.legacy["cpu"]?.home == "/sys/fs/cgroup/cpu,cpuacct")
        #expect(layout.legacy["pids"]?.home == "/sys/fs/cgroup/pids/b")
        #expect(layout.missing.isEmpty)
    }

    @Test(arguments: [
        ("0::/system.slice/faasd.service\n", "/sys/fs/cgroup/system.slice/faasd.service/faasd-x"),
        ("0::/system.slice/faasd.service/supervisor\n", "/sys/fs/cgroup/system.slice/faasd.service/faasd-x"),
        ("0::/system.slice/cron.service\n", "/sys/fs/cgroup/faasd-x"),
        ("0::/user.slice/user-0.slice/session-1.scope\n", "/sys/fs/cgroup/faasd-x"),
        ("0::/\n", "/sys/fs/cgroup/faasd-x"),
    ])
    func `a version 2 host does everything in one hierarchy, below a unit of its own`(membership: String, base: String)
    {
        let layout = CgroupLayout(
            mountinfo: "30 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
            membership: membership,
            controllers: { $0 == "/sys/fs/cgroup" ? "cpuset cpu io memory pids\n" : "" },
            isDelegated: { $0.hasSuffix("/faasd.service") },
            name: "faasd-x"
        )
        #expect(layout.unified?.base == base)
        #expect(layout.unifiedLimits && layout.legacy.isEmpty && layout.missing.isEmpty)
    }

    @Test func `a version 1 host needs cpuacct and the freezer too`() {
        let mounts = hybrid.split(separator: "\n").filter { !$0.contains("cgroup2") }.joined(separator: "\n")
        let layout = CgroupLayout(
            mountinfo: mounts,
            membership: "4:memory:/\n",
            controllers: { _ in "" },
            isDelegated: { _ in false },
            name: "x"
        )
        #expect(layout.unified == nil)
        #expect(layout.missing == ["freezer"])
        #expect(layout.legacy["cpuacct"]?.base == "/sys/fs/cgroup/cpu,cpuacct/x")
    }

    @Test func `a container's own part of a hierarchy is where its processes live`() {
        let layout = CgroupLayout(
            mountinfo: "27 24 0:24 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
            membership: "4:memory:/docker/abc/sub\n",
            controllers: { _ in "" },
            isDelegated: { _ in false },
            name: "x"
        )
        #expect(layout.legacy["memory"]?.home == "/sys/fs/cgroup/memory/sub")
    }

    @Test func `a host without any hierarchy misses everything`() {
        let layout = CgroupLayout(
            mountinfo: "",
            membership: "",
            controllers: { _ in "" },
            isDelegated: { _ in false },
            name: "x"
        )
        #expect(layout.missing == ["memory", "pids", "cpu", "cpuacct", "freezer"])
    }

    @Test func `what a host has not is neither written nor opened`() {
        let layout = CgroupLayout(
            mountinfo: hybrid.split(separator: "\n").filter { !$0.contains("memory") }.joined(separator: "\n"),
            membership: "3:cpu,cpuacct:/\n2:pids:/b\n0::/\n",
            controllers: { _ in "" },
            isDelegated: { _ in false },
            name: "x"
        )
        #expect(layout.missing == ["memory"])
        #expect(layout.settings.map(\.name) == ["cpu.cfs_period_us", "cpu.cfs_quota_us", "pids.max"])
        #expect(
            Set(layout.files.map(\.file.name)) == [
                "cpu.stat", "cgroup.freeze", "cgroup.events", "cgroup.kill", "pids.events", "pids.current",
            ]
        )
        #expect(layout.counters.map(\.file.name) == ["cpu.stat", "pids.events"])
    }

    @Test func `an ordinary user has the groups that were given to it, and no others`() {
        let own = ["/sys/fs/cgroup/memory/u", "/sys/fs/cgroup/pids/u", "/sys/fs/cgroup/unified/u"]
        let layout = CgroupLayout(
            mountinfo: hybrid,
            membership: "4:memory:/u\n3:cpu,cpuacct:/u\n2:pids:/u\n0::/u\n",
            controllers: { _ in "" },
            isDelegated: own.contains,
            isOrdinary: true,
            name: "x"
        )
        #expect(layout.unified?.base == "/sys/fs/cgroup/unified/u/x")
        #expect(
            layout.legacy["memory"]
                == .init(base: "/sys/fs/cgroup/memory/u/x", home: "/sys/fs/cgroup/memory/u")
        )
        #expect(layout.missing == ["cpu"])
    }

    @Test(arguments: [
        ("/user.slice/faasd.service", "cpu memory pids", true, []),
        ("/user.slice/faasd.service/supervisor", "cpu memory pids", true, []),
        ("/user.slice/faasd.service", "memory pids", true, ["memory", "pids", "cpu"]),
        ("/user.slice/faasd.service", "cpu memory pids", false, ["memory", "pids", "cpu", "cpuacct", "freezer"]),
    ])
    func `on version 2 the unit of a user must have been given all three controllers`(
        membership: String,
        controllers: String,
        isDelegated: Bool,
        missing: [String]
    ) {
        let home = "/sys/fs/cgroup/user.slice/faasd.service"
        let layout = CgroupLayout(
            mountinfo: "30 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
            membership: "0::\(membership)\n",
            controllers: { $0 == home ? controllers : "cpu io memory pids" },
            isDelegated: { isDelegated && $0 == home },
            isOrdinary: true,
            name: "x"
        )
        #expect(layout.missing == missing)
        #expect(layout.unified?.base == (isDelegated ? home + "/x" : nil))
    }
}
