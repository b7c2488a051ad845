internal import Billing
internal import NIOCore
internal import Sandbox

/// A process that has loaded a version's code for one key, has served nobody, and is forked for each of the key's workers.
///
/// It stands still except while it forks. Its forks live in its namespaces and end with it, so each keeps it alive; for a
/// while ``Templates`` does too.
///
/// @unchecked: who has the turn of its key uses it, one at a time.
final class Template: @unchecked Sendable {
    private var box: Box?
    /// How long it may take to fork: it is a tenant's, and somebody waits.
    private static let forkMax: Duration = .seconds(5)
    private static let logBytesMax = 4 << 10

    /// - Parameter box: one spawned as a template, whose process said it can be told to fork.
    /// - Throws: `SandboxError` when it would not stand still.
    init(_ box: consuming Box) throws(SandboxError) {
        guard box.freeze() else { throw SandboxError("branch", "the template did not stand still") }
        self.box = consume box
    }

    deinit {
        guard let box = box.take() else { return }
        _ = try? box.destroy()
    }

    /// Whether there is no point in asking it again.
    private(set) var isBroken = false
    /// CPU time that the last fork took it: at the expense of whoever pays for loading.
    private(set) var forkCPU: Duration = .zero

    /// A fork, running and ready for calls.
    ///
    /// Within a time of its own: what is left of one call's must not break it for others.
    ///
    /// - Parameter limits: those of the fork.
    /// - Returns: its box.
    /// - Throws: `SandboxError` of the step that failed; the template is broken then, and its other forks go on.
    func fork(_ limits: BoxLimits) throws(SandboxError) -> Box {
        guard !isBroken, let box = box.take() else { throw SandboxError("branch", "the template is broken") }
        let cpuBefore = box.cpuMicros
        box.thaw()
        var fork: Box?
        var failure = SandboxError("branch", "the template did not stand still, or keeps its dead")
        do throws(SandboxError) {
            fork = try Self.fork(of: box, limits, deadline: Deadline(after: Self.forkMax))
        } catch { failure = error }
        // Also one that failed: it must not run on at nobody's expense. Its forks go with one that does.
        let isStill = box.freeze() && Self.leavesNoDead(box.pid, limits)
        if !isStill { box.kill() }
        forkCPU = .microseconds(Int64(clamping: box.cpuMicros - min(cpuBefore, box.cpuMicros)))
        self.box = consume box
        isBroken = fork == nil || !isStill
        guard isStill, let fork = fork.take() else { throw failure }
        return fork
    }

    /// Whether the kernel takes its forks away when they end, and few of them are there: what is not taken away is a number
    /// that the host has one less of.
    ///
    /// - Source: `SigIgn` in proc_pid_status(5), `children` in proc_tid_children(5).
    private static func leavesNoDead(_ pid: Int32, _ limits: BoxLimits) -> Bool {
        let children = Host.text(at: "/proc/\(pid)/task/\(pid)/children").utf8.count { $0 == UInt8(ascii: " ") }
        guard children <= max(256, Int(limits.pids)) else { return false }
        let status = Host.text(at: "/proc/\(pid)/status").utf8.split(separator: UInt8(ascii: "\n"))
        let ignored = status.first { $0.starts(with: "SigIgn:".utf8) }?.dropFirst(8)
        return UInt64(ignored.map { String(Substring($0)) } ?? "", radix: 16).map { $0 >> (childEnded - 1) & 1 == 1 }
            ?? false
    }

    private static let childEnded: UInt64 = 17

    private static func fork(
        of template: borrowing Box,
        _ limits: BoxLimits,
        deadline: Deadline
    ) throws(SandboxError) -> Box {
        var fork = try template.branch(limits: limits)
        try expectReady(.branch, template, deadline, "the template")
        try expectReady(.initialize, fork, deadline, "the fork")
        try fork.adopt()
        return fork
    }

    private static func expectReady(
        _ request: FrameHeader.Request,
        _ box: borrowing Box,
        _ deadline: Deadline,
        _ who: String
    ) throws(SandboxError) {
        var conversation = Conversation(
            request,
            payload: ByteBuffer(),
            logBytesMax: logBytesMax,
            deadline: deadline
        ) { $0 == .ready ? 0 : nil }
        let event = conversation.next(box)
        if case .frame(.ready, _, _) = event { return }
        throw SandboxError("branch", "\(who) did not become ready: \(event)")
    }
}
