internal import NIOCore
internal import Sandbox

/// An interpreter that has loaded what workers need, and is forked for each.
///
/// @unchecked: its owner, the nursery, uses it on one thread at a time.
final class Zygote: @unchecked Sendable {
    /// Forks of one zygote share its address layout and its seed of `hash()`; so each has a bounded number of them.
    static let forksMax = 5_000
    /// And a bounded time.
    static let ageMax: Duration = .seconds(600)
    private static let limits = BoxLimits(memoryBytes: 2 << 30, cpuMillis: 2_000, pids: 64, tmpBytes: 16 << 20)

    private var box: Box?
    private let born = Deadline.now
    private(set) var forks = 0

    private init(_ box: consuming Box) { self.box = consume box }

    /// Starts one and waits until it has loaded everything.
    ///
    /// - Parameters:
    ///   - spawner: makes its box.
    ///   - environment: the store key of the packages it loads; empty for none.
    /// - Returns: the zygote, ready to be forked.
    /// - Throws: `SandboxError`, of step `zygote` with its own words when it could not load something.
    static func start(_ spawner: Spawner, environment: String) throws(SandboxError) -> Zygote {
        let packages = environment.isEmpty ? [] : StoreKey.bytes(environment)
        let box = try spawner.spawn(.zygote, version: packages, limits: limits)
        var conversation = Conversation(
            .initialize,
            payload: ByteBuffer(),
            logBytesMax: 16 << 10,
            deadline: Deadline(after: .seconds(60))
        ) { $0 == .ready ? 0 : $0 == .loadError ? Exchange.errorBytesMax : nil }
        let event = conversation.next(box)
        if case .frame(.ready, _, _) = event { return Zygote(box) }
        box.kill()
        conversation.drainLogs(box)
        var words = conversation.log.text
        if case .frame(.loadError, _, let payload) = event { words = ReportedError(payload)?.message ?? words }
        _ = try? box.destroy()
        throw SandboxError("zygote", "it did not come to be ready: \(words)")
    }

    /// Whether it may be forked, and still should be.
    var isUsable: Bool {
        guard forks < Self.forksMax, Deadline.now - born < UInt64(Self.ageMax.nanosecondsClamped) else { return false }
        return !(box?.hasEnded ?? true)
    }

    /// A new box from it, without a version.
    ///
    /// - Throws: `SandboxError`; one of step `zygote` means that the zygote is of no use any more.
    func fork(_ spawner: Spawner, _ limits: BoxLimits) throws(SandboxError) -> Box {
        guard let box = box.take() else { throw SandboxError("zygote", "it has ended") }
        forks += 1
        do throws(SandboxError) {
            let fork = try spawner.fork(box, limits: limits)
            self.box = consume box
            return fork
        } catch {
            if error.step == "zygote" || error.step == "socket" {
                _ = try? box.destroy()
            } else {
                self.box = consume box
            }
            throw error
        }
    }

    /// Ends it; its forks live on.
    func end() {
        guard let box = box.take() else { return }
        _ = try? box.destroy()
    }
}
