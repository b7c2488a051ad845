internal import CSandbox
internal import CSpawnerProtocol
internal import Glibc
internal import Synchronization

/// The daemon's end of `faasd-spawner`, the only privileged process.
///
/// One request is under way at a time; each takes a millisecond or two, and blocks the calling thread, which must not
/// be one of the cooperative pool.
public final class Spawner: Sendable {
    private let socket: Descriptor
    private let process: Descriptor
    private let exchange = Mutex(())
    private let policy: Policy
    private let isChecking: Bool
    /// Whether there is no version 2 hierarchy: CPU time from cpuacct, in nanoseconds, and the freezer's words.
    let isLegacy: Bool

    /// The spawner's process id, for logs and tests.
    public let pid: Int32

    private init(
        socket: consuming Descriptor,
        process: consuming Descriptor,
        pid: Int32,
        policy: Policy,
        isChecking: Bool
    ) {
        self.socket = socket
        self.process = process
        self.pid = pid
        self.policy = policy
        isLegacy = policy.cgroups.unified == nil
        self.isChecking = isChecking
    }

    /// Starts the spawner with a policy and waits until its roots and control groups are ready.
    ///
    /// - Parameters:
    ///   - executable: the path of `faasd-spawner`.
    ///   - policy: what it may do; handed over once.
    ///   - lock: the locked file of the state directory; the spawner keeps a copy until its last box is gone.
    /// - Returns: the spawner, ready to make boxes.
    /// - Throws: `SandboxError` with the step that failed, such as a missing control group.
    public static func start(
        executable: String,
        policy: Policy,
        lock: borrowing Descriptor
    ) throws(SandboxError) -> Spawner {
        try start(executable: executable, policy: policy, lock: lock, isChecking: true)
    }

    /// The same; without checking its boxes, for tests that take layers away.
    static func start(
        executable: String,
        policy: Policy,
        lock: borrowing Descriptor,
        isChecking: Bool
    ) throws(SandboxError) -> Spawner {
        let sealed = try policy.seal()
        try policy.cgroups.divide()
        var pair: (CInt, CInt) = (-1, -1)
        let code = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: CInt.self, capacity: 2) { sbx_socketpair($0) }
        }
        try check(code, "socket", "socketpair")
        let ours = Descriptor(owning: pair.0)
        let theirs = Descriptor(owning: pair.1)
        var pid: CInt = -1
        var pidfd: CInt = -1
        let words = (policy.subordinate?.launcherWords ?? []) + [executable]
        let started = withArguments(words) { sbx_start_spawner($0, sealed.raw, theirs.raw, lock.raw, &pid, &pidfd) }
        try check(started, "exec", words[0])
        let spawner = Spawner(
            socket: ours,
            process: Descriptor(owning: pidfd),
            pid: pid,
            policy: policy,
            isChecking: isChecking
        )
        _ = consume theirs
        let hello = try spawner.greeting()
        guard hello.error == 0 else {
            throw .spawner(step: hello.step, errno: hello.error, "faasd-spawner could not begin; its message is above")
        }
        return spawner
    }

    /// Makes a box and starts its program.
    ///
    /// - Parameters:
    ///   - kind: which profile.
    ///   - version: the 32-byte key of the version mounted on `/fn`; ignored by profiles without one.
    ///   - limits: hard limits.
    ///   - isTemplate: whether its process will be told to fork: `Box.branch`.
    /// - Returns: the box, whose program has been executed.
    /// - Throws: `SandboxError` with the step of the setup that failed; nothing is left behind then.
    public func spawn(
        _ kind: Profile.Kind,
        version: [UInt8] = [],
        limits: BoxLimits,
        isTemplate: Bool = false
    ) throws(SandboxError) -> Box {
        var request = sp_request()
        request.flags = isTemplate ? UInt32(SP_TEMPLATE.rawValue) : 0
        return try make(kind, request, version: version, limits: limits)
    }

    /// Makes a worker's box by forking a zygote; it has no version yet, which `Box.assign` shows it.
    ///
    /// - Parameters:
    ///   - zygote: a box of kind `zygote` that has said it is ready.
    ///   - limits: hard limits.
    /// - Returns: the box, whose interpreter waits for its first request.
    /// - Throws: `SandboxError` with the step that failed; of step `zygote`, when the zygote did not answer in a second,
    ///   and has been killed for it.
    public func fork(_ zygote: borrowing Box, limits: BoxLimits) throws(SandboxError) -> Box {
        var request = sp_request()
        (request.box, request.generation) = (zygote.number, zygote.generation)
        return try make(.worker, request, limits: limits)
    }

    /// Whether boxes can be forked here: control groups of version 2 to clone into, and a spawner that is the host's root.
    public var hasZygotes: Bool { !isLegacy && policy.subordinate == nil }

    private func make(
        _ kind: Profile.Kind,
        _ request: sp_request,
        version: [UInt8] = [],
        limits: BoxLimits
    ) throws(SandboxError) -> Box {
        var request = request
        request.operation = UInt16(SP_SPAWN.rawValue)
        request.profile = kind.rawValue
        request.set(limits)
        withUnsafeMutableBytes(of: &request.version) { $0.copyBytes(from: version.prefix($0.count)) }
        var (reply, descriptors) = try converse(request)
        let report = descriptors[Int(SP_D_REPORT.rawValue)]
        defer { if report >= 0 { close(report) } }
        descriptors[Int(SP_D_REPORT.rawValue)] = -1
        let owned = BoxDescriptors(descriptors)
        guard reply.error == 0 else { throw .spawner(step: reply.step, errno: reply.error, "box of kind \(kind)") }
        do throws(SandboxError) {
            try Self.awaitBox(owned, report, "box of kind \(kind)")
            if isChecking, kind != .zygote { try prove(reply.pid) }
            let listeners = policy.profiles[Int(kind.rawValue)].listeners
            return try Box(spawner: self, reply: reply, descriptors: owned, listeners: listeners)
        } catch {
            // The box is there; only our hold on it is not.
            _ = try? destroy(box: reply.box, generation: reply.generation)
            throw error
        }
    }

    /// Its process goes its way into the box without the spawner, which has one thread for all.
    private static func awaitBox(
        _ descriptors: borrowing BoxDescriptors,
        _ report: CInt,
        _ what: String
    ) throws(SandboxError) {
        guard report >= 0 else { throw SandboxError("descriptors", errno: EMFILE, "\(what): no report arrived") }
        var step: UInt32 = 0
        let code = sbx_await_box(report, descriptors[SP_D_PIDFD], setupMilliseconds, &step)
        guard code == 0 else { throw .spawner(step: UInt16(clamping: step), errno: code, what) }
    }

    private static let setupMilliseconds: CInt = 10_000

    /// Compares what the kernel says of a new box's process with what it must be.
    ///
    /// The number is right: the spawner has not reaped the process, nor will it before we ask. A fork of a template is
    /// taken away when it ends; one that did in this moment is of no use anyway.
    private func prove(_ pid: Int32) throws(SandboxError) {
        let own = Proof.filters(Kernel.text(at: "/proc/\(self.pid)/status"))
        let status = Kernel.text(at: "/proc/\(pid)/status")
        let gidBase = policy.subordinate?.firstGid ?? policy.uidBase
        let proof = Proof(status: status, uidBase: policy.uidBase, gidBase: gidBase, filters: own.map { $0 + 1 })
        guard proof.faults.isEmpty else {
            throw SandboxError("proof", "the new box lacks a layer: \(proof.faults.joined(separator: "; "))")
        }
    }

    /// Orders a template to fork; see `Box.branch`, whose `/tmp` the descriptor `tmp` is.
    func branch(_ template: borrowing Box, limits: BoxLimits, tmp: CInt) throws(SandboxError) -> Box {
        var request = sp_request()
        request.operation = UInt16(SP_BRANCH.rawValue)
        (request.box, request.generation) = (template.number, template.generation)
        request.set(limits)
        var received: (reply: sp_reply, descriptors: [CInt])
        do throws(SandboxError) { received = try converse(request) } catch {
            close(tmp)
            throw error
        }
        received.descriptors[Int(SP_D_TMP.rawValue)] = tmp
        let owned = BoxDescriptors(received.descriptors)
        let reply = received.reply
        guard reply.error == 0 else {
            throw .spawner(step: reply.step, errno: reply.error, "fork of box \(template.number)")
        }
        do throws(SandboxError) {
            return try Box(spawner: self, reply: reply, descriptors: owned, listeners: 0, isAdopted: false)
        } catch {
            _ = try? destroy(box: reply.box, generation: reply.generation)
            throw error
        }
    }

    /// Takes a fork's process into its box; returns its handle, alone among the descriptors, and sets its number.
    func adopt(box: UInt32, generation: UInt32, _ pid: inout Int32) throws(SandboxError) -> BoxDescriptors {
        var request = sp_request()
        request.operation = UInt16(SP_ADOPT.rawValue)
        (request.box, request.generation) = (box, generation)
        let (reply, descriptors) = try converse(request)
        let owned = BoxDescriptors(descriptors)
        guard reply.error == 0 else { throw .spawner(step: reply.step, errno: reply.error, "box \(box)") }
        guard owned[SP_D_PIDFD] >= 0 else {
            throw SandboxError("descriptors", errno: EMFILE, "the process handle of box \(box) did not arrive")
        }
        if isChecking { try prove(reply.pid) }
        pid = reply.pid
        return owned
    }

    /// Ends a box: kills what is left in it, waits, removes its control groups.
    func destroy(box: UInt32, generation: UInt32) throws(SandboxError) -> Death {
        var request = sp_request()
        request.operation = UInt16(SP_DESTROY.rawValue)
        request.box = box
        request.generation = generation
        let (reply, _) = try converse(request)
        guard reply.error == 0 else { throw .spawner(step: reply.step, errno: reply.error, "ending box \(box)") }
        return Death(reply, isLegacy: isLegacy)
    }

    /// Shows a version to a box that was made without one.
    func assign(box: UInt32, generation: UInt32, version: [UInt8]) throws(SandboxError) {
        var request = sp_request()
        request.operation = UInt16(SP_ASSIGN.rawValue)
        (request.box, request.generation) = (box, generation)
        withUnsafeMutableBytes(of: &request.version) { $0.copyBytes(from: version.prefix($0.count)) }
        let (reply, _) = try converse(request)
        guard reply.error == 0 else { throw .spawner(step: reply.step, errno: reply.error, "version of box \(box)") }
    }

    /// Waits until the spawner's process is gone, which ends the daemon too.
    ///
    /// Blocks the calling thread.
    ///
    /// - Returns: its exit code, or 128 plus the signal.
    public func waitForExit() -> Int32 { sbx_wait(process.raw) }

    /// Closes the conversation, upon which the spawner ends every box and itself.
    public func shutDown() { _ = Glibc.shutdown(socket.raw, CInt(SHUT_RDWR)) }

    private func converse(_ request: sp_request) throws(SandboxError) -> (sp_reply, [CInt]) {
        var request = request
        request.magic = SP_MAGIC
        let result = exchange.withLock { _ in
            Result { () throws(SandboxError) in
                try check(sbx_send(socket.raw, &request), "socket", "faasd-spawner is gone")
                return try receive()
            }
        }
        return try result.get()
    }

    /// The first reply; when there is none, whoever was to become the spawner has said why on standard error.
    private func greeting() throws(SandboxError) -> sp_reply {
        do throws(SandboxError) { return try receive().0 } catch {
            throw SandboxError(error.step, errno: error.errno, "faasd-spawner could not begin; its message is above")
        }
    }

    private func receive() throws(SandboxError) -> (sp_reply, [CInt]) {
        var reply = sp_reply()
        var descriptors = [CInt](repeating: -1, count: Int(SP_D_COUNT.rawValue))
        let code = sbx_receive(socket.raw, &reply, &descriptors)
        // EMFILE: the reply is whole, some descriptors are not; who makes a box of it notices which.
        if code != EMFILE { try check(code, "socket", "faasd-spawner is gone, or has not answered for a minute") }
        return (reply, descriptors)
    }
}

/// Runs `body` with a NULL-terminated array of C strings.
private func withArguments(_ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> CInt) -> CInt {
    let copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeBufferPointer { body($0.baseAddress) }
}

extension sp_request {
    fileprivate mutating func set(_ limits: BoxLimits) {
        memory_bytes = limits.memoryBytes
        tmp_bytes = limits.effectiveTmpBytes
        cpu_millis = limits.cpuMillis
        pids = limits.pids
    }
}

extension Death {
    init(_ reply: sp_reply, isLegacy: Bool) {
        cause =
            switch reply.exit_code {
            case Int32(CLD_EXITED): .exited(code: reply.exit_status)
            case Int32(CLD_KILLED), Int32(CLD_DUMPED): .signaled(reply.exit_status)
            default: .unknown
            }
        let (cpu, memoryPeak, oomKills, pidsRefused) = reply.counters
        cpuMicros = isLegacy ? cpu / 1_000 : cpu
        memoryPeakBytes = memoryPeak
        self.oomKills = oomKills
        self.pidsRefused = pidsRefused
    }
}
