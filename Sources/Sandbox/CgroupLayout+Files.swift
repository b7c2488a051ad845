internal import CSpawnerProtocol
internal import Glibc

/// What the spawner writes to a box's group and opens in it: data here, so that it need not know the hierarchies.
///
/// - Source: the kernel's `admin-guide/cgroup-v2.rst` and `admin-guide/cgroup-v1/memory.rst`.
extension CgroupLayout {
    /// A file in a box's group of one hierarchy.
    struct File: Sendable {
        var hierarchy: sp_hierarchy
        var name: String
        /// A setting: what is written, behind the number if any; a counter: the word before its number.
        var text = ""
        /// A setting: which limit's number is written.
        var value = SP_VALUE_NONE
        /// A setting: whether kernels are built without it.
        var isOptional = false
        /// A file handed over: whether it is written instead of read.
        var isWritten = false
    }

    /// Limits, in the order in which they are written.
    var settings: [File] {
        let period = String(SP_CPU_PERIOD_MICROS)
        let all: [File] =
            unifiedLimits
            ? [
                File(hierarchy: SP_CG_UNIFIED, name: "memory.max", value: SP_VALUE_MEMORY),
                File(hierarchy: SP_CG_UNIFIED, name: "memory.oom.group", text: "1"),
                File(hierarchy: SP_CG_UNIFIED, name: "memory.swap.max", text: "0", isOptional: true),
                File(hierarchy: SP_CG_UNIFIED, name: "cpu.max", text: " " + period, value: SP_VALUE_CPU_QUOTA),
                File(hierarchy: SP_CG_UNIFIED, name: "pids.max", value: SP_VALUE_PIDS),
            ]
            : [
                File(hierarchy: SP_CG_MEMORY, name: "memory.limit_in_bytes", value: SP_VALUE_MEMORY),
                // Never below the limit of memory, and therefore after it.
                File(
                    hierarchy: SP_CG_MEMORY,
                    name: "memory.memsw.limit_in_bytes",
                    value: SP_VALUE_MEMORY,
                    isOptional: true
                ),
                File(hierarchy: SP_CG_MEMORY, name: "memory.swappiness", text: "0", isOptional: true),
                // Buffers of TCP and, in spite of the name, UDP sockets, which the limit above does not count.
                File(
                    hierarchy: SP_CG_MEMORY,
                    name: "memory.kmem.tcp.limit_in_bytes",
                    value: SP_VALUE_MEMORY,
                    isOptional: true
                ),
                File(hierarchy: SP_CG_CPU, name: "cpu.cfs_period_us", text: period),
                File(hierarchy: SP_CG_CPU, name: "cpu.cfs_quota_us", value: SP_VALUE_CPU_QUOTA),
                File(hierarchy: SP_CG_PIDS, name: "pids.max", value: SP_VALUE_PIDS),
            ]
        return all.filter { group($0.hierarchy) != nil }
    }

    /// What comes to the daemon with a box.
    var files: [(descriptor: sp_descriptor, file: File)] {
        let freezing: [(sp_descriptor, File)] =
            unified == nil
            ? [
                (SP_D_FREEZE, File(hierarchy: SP_CG_FREEZER, name: "freezer.state", isWritten: true)),
                (SP_D_EVENTS, File(hierarchy: SP_CG_FREEZER, name: "freezer.state")),
            ]
            : [
                (SP_D_FREEZE, File(hierarchy: SP_CG_UNIFIED, name: "cgroup.freeze", isWritten: true)),
                (SP_D_EVENTS, File(hierarchy: SP_CG_UNIFIED, name: "cgroup.events")),
                (SP_D_KILL, File(hierarchy: SP_CG_UNIFIED, name: "cgroup.kill", isWritten: true)),
            ]
        let cpu: [(sp_descriptor, File)] = [
            (
                SP_D_CPU,
                unified == nil
                    ? File(hierarchy: SP_CG_CPUACCT, name: "cpuacct.usage")
                    : File(hierarchy: SP_CG_UNIFIED, name: "cpu.stat")
            )
        ]
        let limits: [(sp_descriptor, File)] =
            unifiedLimits
            ? [
                (SP_D_MEMORY_EVENTS, File(hierarchy: SP_CG_UNIFIED, name: "memory.events")),
                (SP_D_PIDS_EVENTS, File(hierarchy: SP_CG_UNIFIED, name: "pids.events")),
                (SP_D_PIDS, File(hierarchy: SP_CG_UNIFIED, name: "pids.current")),
                (SP_D_MEMORY, File(hierarchy: SP_CG_UNIFIED, name: "memory.current")),
                (SP_D_MEMORY_STAT, File(hierarchy: SP_CG_UNIFIED, name: "memory.stat")),
            ]
            : [
                (SP_D_MEMORY_EVENTS, File(hierarchy: SP_CG_MEMORY, name: "memory.oom_control")),
                (SP_D_PIDS_EVENTS, File(hierarchy: SP_CG_PIDS, name: "pids.events")),
                (SP_D_PIDS, File(hierarchy: SP_CG_PIDS, name: "pids.current")),
                (SP_D_MEMORY, File(hierarchy: SP_CG_MEMORY, name: "memory.usage_in_bytes")),
                (SP_D_MEMORY_STAT, File(hierarchy: SP_CG_MEMORY, name: "memory.stat")),
                // Version 2 kills the whole group itself.
                (SP_D_OOM, File(hierarchy: SP_CG_MEMORY, name: "cgroup.event_control", isWritten: true)),
            ]
        return (freezing + cpu + limits).filter { group($0.1.hierarchy) != nil }.map { (descriptor: $0.0, file: $0.1) }
    }

    /// What is read when a box has ended.
    var counters: [(counter: sp_counter, file: File)] {
        let cpu =
            unified == nil
            ? File(hierarchy: SP_CG_CPUACCT, name: "cpuacct.usage")
            : File(hierarchy: SP_CG_UNIFIED, name: "cpu.stat", text: "usage_usec")
        let all: [(counter: sp_counter, file: File)] =
            unifiedLimits
            ? [
                (SP_C_CPU, cpu), (SP_C_MEMORY_PEAK, File(hierarchy: SP_CG_UNIFIED, name: "memory.peak")),
                (SP_C_OOM_KILLS, File(hierarchy: SP_CG_UNIFIED, name: "memory.events", text: "oom_kill")),
                (SP_C_PIDS_REFUSED, File(hierarchy: SP_CG_UNIFIED, name: "pids.events", text: "max")),
            ]
            : [
                (SP_C_CPU, cpu),
                (SP_C_MEMORY_PEAK, File(hierarchy: SP_CG_MEMORY, name: "memory.max_usage_in_bytes")),
                (SP_C_OOM_KILLS, File(hierarchy: SP_CG_MEMORY, name: "memory.oom_control", text: "oom_kill")),
                (SP_C_PIDS_REFUSED, File(hierarchy: SP_CG_PIDS, name: "pids.events", text: "max")),
            ]
        return all.filter { group($0.file.hierarchy) != nil }
    }

    /// Every hierarchy that the spawner knows, and our group in it.
    var groups: [(hierarchy: sp_hierarchy, group: Group?)] {
        [
            (SP_CG_UNIFIED, unified), (SP_CG_MEMORY, legacy["memory"]), (SP_CG_PIDS, legacy["pids"]),
            (SP_CG_CPU, legacy["cpu"]), (SP_CG_CPUACCT, legacy["cpuacct"]), (SP_CG_FREEZER, legacy["freezer"]),
        ]
    }

    private func group(_ hierarchy: sp_hierarchy) -> Group? { groups[Int(hierarchy.rawValue)].group }
}
