internal import CSandbox
internal import CSpawnerProtocol
internal import Glibc

/// The descriptors that came with a new box, closed together when the box is let go.
struct BoxDescriptors: ~Copyable, Sendable {
    private let numbers: [CInt]

    init(_ numbers: [CInt]) { self.numbers = numbers }

    deinit { for number in numbers where number >= 0 { close(number) } }

    /// The number, -1 when this host has no such thing.
    subscript(_ which: sp_descriptor) -> CInt { numbers[Int(which.rawValue)] }

    /// The listeners, as many as there are.
    var listeners: [CInt] { numbers[Int(SP_D_LISTENERS.rawValue)...].filter { $0 >= 0 } }
}

/// A live sandbox: its pipes, and the kernel's handles on its processes.
///
/// A box belongs to whoever holds it, on one thread at a time. `destroy()` ends it; a box that is merely let go is
/// destroyed by its `deinit`.
public struct Box: ~Copyable, Sendable {
    private let spawner: Spawner
    private let descriptors: BoxDescriptors
    /// The process handle of a fork of a template, which comes when it has been adopted.
    private var adopted: BoxDescriptors?
    let number: UInt32
    let generation: UInt32
    private var isEnded = false
    /// The first process's id on the host, for logs and tests; never used to signal it.
    public private(set) var pid: Int32

    init(
        spawner: Spawner,
        reply: sp_reply,
        descriptors: consuming BoxDescriptors,
        listeners: Int,
        isAdopted: Bool = true
    ) throws(SandboxError) {
        guard descriptors.listeners.count == listeners else {
            let arrived = descriptors.listeners.count
            throw SandboxError("descriptors", errno: EMFILE, "\(arrived) of \(listeners) listeners arrived")
        }
        for needed in [
            SP_D_PIDFD, SP_D_REQUEST, SP_D_REPLY, SP_D_STDOUT, SP_D_STDERR, SP_D_CPU, SP_D_FREEZE, SP_D_EVENTS,
        ]
        where descriptors[needed] < 0 && (isAdopted || needed != SP_D_PIDFD) {
            throw SandboxError(
                "descriptors",
                errno: EMFILE,
                "descriptor \(needed.rawValue) of box \(reply.box) did not arrive; raise the limit of open files"
            )
        }
        for pipe in [SP_D_REQUEST, SP_D_REPLY, SP_D_STDOUT, SP_D_STDERR] {
            _ = fcntl(descriptors[pipe], F_SETFL, O_NONBLOCK)
        }
        self.spawner = spawner
        self.descriptors = descriptors
        adopted = nil
        processHandle = self.descriptors[SP_D_PIDFD]
        number = reply.box
        generation = reply.generation
        pid = reply.pid
    }

    /// How long the end of a killed process is waited for before the spawner is asked all the same.
    private static let endMilliseconds: CInt = 60_000

    deinit { if !isEnded { _ = try? spawner.destroy(box: number, generation: generation) } }

    /// Readable when the first process has ended: pidfd_open(2); -1 of a fork that has not been adopted yet.
    public private(set) var processHandle: CInt
    /// Whether the first process has ended.
    public var hasEnded: Bool {
        var handle = pollfd(fd: processHandle, events: Int16(POLLIN), revents: 0)
        return poll(&handle, 1, 0) > 0
    }
    /// Where requests are written; not blocking.
    public var requestPipe: CInt { descriptors[SP_D_REQUEST] }
    /// Where replies are read; not blocking, and as untrusted as everything from a box.
    public var replyPipe: CInt { descriptors[SP_D_REPLY] }
    /// The program's standard output; not blocking.
    public var standardOutput: CInt { descriptors[SP_D_STDOUT] }
    /// The program's standard error; not blocking.
    public var standardError: CInt { descriptors[SP_D_STDERR] }
    /// Readable when the kernel ran out of this box's memory; -1 where version 2 kills the whole group itself.
    public var outOfMemoryHandle: CInt { descriptors[SP_D_OOM] }

    /// The daemon's listening sockets in the box's network, by their port; not blocking.
    ///
    /// What connects to them is hostile. A connection that was accepted keeps the box's network alive beyond its end.
    public var listeners: [CInt] { descriptors.listeners }

    /// CPU time of every process that was ever in the box; microseconds.
    ///
    /// - Source: `cpu.stat` `usage_usec`, or `cpuacct.usage`; agrees with the truth within 55 µs.
    public var cpuMicros: UInt64 {
        if spawner.isLegacy { return Kernel.number(descriptors[SP_D_CPU]) / 1_000 }
        return Kernel.number(descriptors[SP_D_CPU], key: "usage_usec")
    }

    /// Processes killed so far because the memory limit was reached.
    public var oomKills: UInt64 { Kernel.number(descriptors[SP_D_MEMORY_EVENTS], key: "oom_kill") }

    /// Forks refused so far because the pids limit was reached.
    public var pidsRefused: UInt64 { Kernel.number(descriptors[SP_D_PIDS_EVENTS], key: "max") }

    /// Processes and threads that there are just now; 0 when it cannot be read.
    public var tasks: UInt64 { Kernel.number(descriptors[SP_D_PIDS]) }

    /// Memory that is counted as the box's just now, its cached files included; bytes.
    public var memoryBytes: UInt64 { Kernel.number(descriptors[SP_D_MEMORY]) }

    /// The part of it that is not cached files: heaps, and what lies in `/tmp`; bytes.
    ///
    /// Takes some tens of microseconds.
    ///
    /// - Source: `anon` and `shmem` of version 2's `memory.stat`, `rss` and `shmem` of version 1's.
    public var ownMemoryBytes: UInt64 {
        let stat = descriptors[SP_D_MEMORY_STAT]
        func number(_ key: StaticString) -> UInt64 { Kernel.number(stat, key: key, bytesMax: 4_096) }
        return max(number("anon"), number("rss")) + number("shmem")
    }

    /// Whether `/tmp` has no room left for a page or a file.
    public var tmpIsFull: Bool {
        var free: UInt64 = 0
        var size: UInt64 = 0
        var inodes: UInt64 = 0
        guard sbx_space(descriptors[SP_D_TMP], &free, &size, &inodes) == 0 else { return false }
        return free < 4_096 || inodes == 0
    }

    /// Stops every process of the box until `thaw()`; returns whether the kernel confirmed it within 100 ms.
    ///
    /// - Source: `cgroup.freeze` of version 2, `freezer.state` of version 1.
    public func freeze() -> Bool {
        beginFreeze()
        return awaitFrozen()
    }

    /// Has every process stopped until `thaw()`, without waiting for it; `isFrozen` tells.
    public func beginFreeze() { Kernel.write(descriptors[SP_D_FREEZE], spawner.isLegacy ? "FROZEN" : "1") }

    /// Waits until the kernel confirms that the box stands still; whether it did within 100 ms.
    ///
    /// The state file is re-read, because being notified of it takes up to 10 ms. Mostly the process is on its way to sleep,
    /// which takes tens of microseconds; a nap would take at least a hundred.
    public func awaitFrozen() -> Bool {
        let began = ContinuousClock.now
        while !isFrozen {
            let waited = began.duration(to: .now)
            guard waited < .milliseconds(100) else { return isFrozen }
            if waited < .microseconds(300) { sched_yield() } else { usleep(100) }
        }
        return true
    }

    /// Lets the processes run again.
    public func thaw() { Kernel.write(descriptors[SP_D_FREEZE], spawner.isLegacy ? "THAWED" : "0") }

    /// Whether the kernel says that every process stands still.
    public var isFrozen: Bool {
        let state = descriptors[SP_D_EVENTS]
        return spawner.isLegacy ? Kernel.begins(state, "FROZEN") : Kernel.number(state, key: "frozen") == 1
    }

    /// Shows a version's files to a box that was forked without any; once.
    ///
    /// - Parameter version: the 32-byte key of the version.
    /// - Throws: `SandboxError` of step `assign`; the box is of no use then.
    public func assign(version: [UInt8]) throws(SandboxError) {
        try spawner.assign(box: number, generation: generation, version: version)
    }

    /// Has the process of this box, which has loaded its code, told to fork; the fork gets pipes and limits of its own.
    ///
    /// It stays in this box's namespaces, with its `/tmp`, and ends with it. Only boxes that were spawned as templates can.
    ///
    /// - Parameter limits: those of the fork.
    /// - Returns: the fork's box, in which there is nobody yet: `adopt()` it when it answers.
    /// - Throws: `SandboxError` with the step that failed; whether the process follows the order does not show here.
    public func branch(limits: BoxLimits) throws(SandboxError) -> Box {
        try spawner.branch(self, limits: limits, tmp: fcntl(descriptors[SP_D_TMP], F_DUPFD_CLOEXEC, 0))
    }

    /// Takes the process that has answered into this box's control group.
    ///
    /// - Throws: `SandboxError` of step `adopt`, when it is not what it must be: alone, of one thread, of the template's
    ///   box, and in all other groups of this one. The box is of no use then.
    public mutating func adopt() throws(SandboxError) {
        let handle = try spawner.adopt(box: number, generation: generation, &pid)
        processHandle = handle[SP_D_PIDFD]
        adopted = consume handle
    }

    /// Whether the kernel kills all of a box at once (`cgroup.kill`), or the spawner has to, process by process.
    public var hasGroupKill: Bool { descriptors[SP_D_KILL] >= 0 }

    /// Kills every process at once, without waiting; `destroy()` waits.
    ///
    /// Does nothing on a pure version 1 host, where only the spawner can.
    public func kill() {
        if hasGroupKill { Kernel.write(descriptors[SP_D_KILL], "1") }
    }

    /// Ends the box and tells how it ended.
    ///
    /// Blocks for the time the kernel needs, mostly a millisecond; seconds, when the box had it remember millions of names.
    public consuming func destroy() throws(SandboxError) -> Death {
        var ending = self
        ending.isEnded = true
        ending.kill()
        // Wait here rather than in the spawner, which has one thread for all.
        var handle = pollfd(fd: ending.processHandle, events: Int16(POLLIN), revents: 0)
        if ending.hasGroupKill, handle.fd >= 0 { _ = poll(&handle, 1, Self.endMilliseconds) }
        return try ending.spawner.destroy(box: ending.number, generation: ending.generation)
    }
}
