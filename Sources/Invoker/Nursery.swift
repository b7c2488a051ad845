internal import Logging
internal import Metrics
internal import NIOPosix
internal import Sandbox
internal import Synchronization

/// How a worker came to be, as the caller sees it.
public enum StartKind: String, Sendable, CaseIterable {
    /// It was there and had loaded the code.
    case warm
    /// A boxed interpreter that was ready; only the code was loaded.
    case blank
    /// Forked for this call.
    case zygote
    /// Its interpreter was started for this call.
    case exec
    /// There was none, or it is an earlier call's answer, of which only that it was not warm is on record.
    case cold
}

/// A box that shows a version and has not loaded it.
struct FreshBox: ~Copyable {
    var box: Box
    var start: StartKind
    /// What it took to get it.
    var making: Duration
}

/// Makes boxes for workers, most of them before anybody asks: zygotes, and blanks forked from them.
///
/// Whatever goes wrong here costs time and not a call: a box that cannot be forked is started by exec.
final class Nursery: Sendable {
    private struct State: Sendable {
        var decisions: BlankState<BoxLimits>
        var shelves: [BoxLimits: [Blank]] = [:]
        var isTending = false
        var isClosed = false
        /// When the next zygote may be tried, after one that failed.
        var notBefore: UInt64 = 0
    }

    /// One box waiting for its version.
    ///
    /// @unchecked: whoever took it from the shelf has it alone.
    private final class Blank: @unchecked Sendable {
        private var box: Box?
        init(_ box: consuming Box) { self.box = consume box }
        var hasEnded: Bool { box?.hasEnded ?? true }
        /// The box, unless its interpreter has ended in the meantime.
        func take() -> Box? {
            guard let box = box.take() else { return nil }
            if !box.hasEnded { return box }
            _ = try? box.destroy()
            return nil
        }
    }

    private let spawner: Spawner
    private let state: Mutex<State>
    /// Held while it forks: the spawner takes one request after another anyway.
    private let zygote = Mutex<Zygote?>(nil)
    /// One thread: blanks are made one after another, so that calls come in between.
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let logger: Logger
    private let isEnabled: Bool

    init(spawner: Spawner, limits: Limits, logger: Logger) {
        self.spawner = spawner
        self.logger = logger
        isEnabled = spawner.hasZygotes && limits.blanksMax > 0
        let decisions = BlankState<BoxLimits>(
            floor: 4,
            most: limits.blanksMax,
            usual: limits.usualBox,
            now: Deadline.now
        )
        state = Mutex(State(decisions: decisions))
        if isEnabled { thread.start() }
        tend()
    }

    /// Blanks that are ready.
    var ready: Int { state.withLock { $0.decisions.ready } }

    /// A box that shows this version: a blank, else a fork, else one that is started.
    ///
    /// - Throws: `SandboxError` when not even that could be made.
    func box(_ version: WorkerVersion) throws(SandboxError) -> FreshBox {
        let began = Deadline.now
        if isEnabled, let made = prepared(version, since: began) { return made }
        let box = try spawner.spawn(.worker, version: version.storeKey, limits: version.limits)
        return FreshBox(box: box, start: .exec, making: .nanoseconds(Int64(Deadline.now - began)))
    }

    private func prepared(_ version: WorkerVersion, since began: UInt64) -> FreshBox? {
        let blank = state.withLock { state -> Blank? in
            guard state.decisions.take(version.limits, now: Deadline.now) else { return nil }
            return state.shelves[version.limits]?.popLast()
        }
        if let box = blank?.take(), let shown = show(version, in: box) {
            return FreshBox(box: shown, start: .blank, making: .nanoseconds(Int64(Deadline.now - began)))
        }
        guard let box = fork(version.limits), let shown = show(version, in: box) else { return nil }
        return FreshBox(box: shown, start: .zygote, making: .nanoseconds(Int64(Deadline.now - began)))
    }

    private func show(_ version: WorkerVersion, in box: consuming Box) -> Box? {
        do throws(SandboxError) {
            try box.assign(version: version.storeKey)
            return box
        } catch {
            logger.error("blank failed", metadata: ["error": "\(error)"])
            _ = try? box.destroy()
            return nil
        }
    }

    /// A fork of the zygote; nil when there is none just now, or it failed.
    private func fork(_ limits: BoxLimits) -> Box? {
        zygote.withLock { zygote in
            guard let zygote, zygote.isUsable else { return nil }
            do throws(SandboxError) { return try zygote.fork(spawner, limits) } catch {
                logger.error("fork failed", metadata: ["error": "\(error)"])
                return nil
            }
        }
    }

    /// Brings the shelves to what they should be, on the nursery's thread.
    func tend() {
        guard isEnabled else { return }
        let begins = state.withLock { state in
            guard !state.isTending, !state.isClosed else { return false }
            state.isTending = true
            return true
        }
        if begins { thread.submit { _ in self.work() } }
    }

    private func work() {
        takeBlanks(where: \.hasEnded).forEach(Self.end)
        while let step = next() { perform(step) }
    }

    private enum Work { case zygote, blanks(BlankState<BoxLimits>.Step) }

    private func next() -> Work? {
        let isShort = HostMemory.isShort
        let hasZygote = zygote.withLock { $0?.isUsable ?? false }
        return state.withLock { state in
            let now = Deadline.now
            if state.isClosed {
                state.isTending = false
                return nil
            }
            if !hasZygote, now >= state.notBefore { return .zygote }
            if hasZygote, let step = state.decisions.next(now: now, isShort: isShort) { return .blanks(step) }
            state.isTending = false
            return nil
        }
    }

    private func perform(_ work: Work) {
        switch work {
        case .zygote: replaceZygote()
        case .blanks(.drop(let limits)):
            state.withLock { $0.shelves[limits]?.popLast() }.map(Self.end)
        case .blanks(.make(let limits)):
            let began = Deadline.now
            guard let box = fork(limits) else { return state.withLock { $0.decisions.made(limits, seconds: nil) } }
            let seconds = Double(Deadline.now - began) / 1e9
            let blank = Blank(box)
            state.withLock {
                $0.shelves[limits, default: []].append(blank)
                $0.decisions.made(limits, seconds: seconds)
            }
        }
    }

    /// The blanks of the old one go with it: they have its address layout.
    private func replaceZygote() {
        var new: Zygote?
        do throws(SandboxError) {
            new = try Zygote.start(spawner)
            Counter(label: "faasd_zygotes_started_total").increment()
        } catch {
            logger.error("zygote failed; boxes are started by exec", metadata: ["error": "\(error)"])
            state.withLock { $0.notBefore = Deadline.now + Self.retryNanoseconds }
        }
        let old = zygote.withLock { zygote in
            defer { zygote = new }
            return zygote
        }
        takeBlanks().forEach(Self.end)
        old?.end()
    }

    private static let retryNanoseconds: UInt64 = 5_000_000_000

    private func takeBlanks(where matches: (Blank) -> Bool = { _ in true }) -> [Blank] {
        state.withLock { state in
            var taken: [Blank] = []
            for (limits, blanks) in state.shelves {
                let gone = blanks.filter(matches)
                state.shelves[limits] = blanks.filter { blank in !gone.contains { $0 === blank } }
                for _ in gone { state.decisions.lost(limits) }
                taken += gone
            }
            return taken
        }
    }

    private static func end(_ blank: Blank) {
        guard let box = blank.take() else { return }
        _ = try? box.destroy()
    }

    /// Ends zygote and blanks, and makes no more.
    func close() async {
        guard isEnabled else { return }
        state.withLock { $0.isClosed = true }
        try? await thread.runIfActive {
            self.takeBlanks().forEach(Self.end)
            self.zygote.withLock { zygote in
                defer { zygote = nil }
                return zygote
            }?.end()
        }
        try? await thread.shutdownGracefully()
    }
}
