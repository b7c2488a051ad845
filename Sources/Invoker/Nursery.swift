internal import Logging
internal import Metrics
internal import NIOPosix
internal import Sandbox
internal import Synchronization

/// How a worker came to be, as the caller sees it.
public enum StartKind: String, Sendable, CaseIterable {
    /// It was there and had loaded the code.
    case warm
    /// Forked from a process that had loaded the code.
    case template
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
    /// Boxes that may stand in for each other as long as they show no version.
    private struct Kind: Hashable, Sendable {
        var limits: BoxLimits
        var environment: String
    }

    private struct State: Sendable {
        var decisions: BlankState<Kind>
        var shelves: [Kind: [Blank]] = [:]
        var isTending = false
        var isClosed = false
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
    private let zygotes: Zygotes
    private let environments: Environments
    private let usualBox: BoxLimits
    /// One thread: blanks are made one after another, so that calls come in between.
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let logger: Logger
    private let isEnabled: Bool

    init(spawner: Spawner, environments: Environments, limits: Limits, logger: Logger) {
        self.spawner = spawner
        self.environments = environments
        self.logger = logger
        usualBox = limits.usualBox
        zygotes = Zygotes(spawner: spawner, logger: logger)
        isEnabled = spawner.hasZygotes && limits.blanksMax > 0
        let usual = Kind(limits: limits.usualBox, environment: "")
        state = Mutex(
            State(decisions: BlankState(floor: 4, most: limits.blanksMax, usual: usual, now: Deadline.now))
        )
        if isEnabled { thread.start() }
        tend()
    }

    /// Blanks that are ready.
    var ready: Int { state.withLock { $0.decisions.ready } }

    /// A box that shows this version: a blank, else a fork, else one that is started.
    ///
    /// - Parameters:
    ///   - version: what it shows.
    ///   - isForked: whether one that was forked will do; else its interpreter is started.
    /// - Returns: the box, which has loaded nothing.
    /// - Throws: `SandboxError` when not even that could be made.
    func box(_ version: WorkerVersion, isForked: Bool = true) throws(SandboxError) -> FreshBox {
        let began = Deadline.now
        if isEnabled, isForked, let made = prepared(version, since: began) { return made }
        let box = try spawner.spawn(.worker, version: version.storeKey, limits: version.limits)
        return FreshBox(box: box, start: .exec, making: .nanoseconds(Int64(Deadline.now - began)))
    }

    /// Has the zygote and the blanks of an environment made before the first call.
    func prepare(_ environment: String) {
        guard isEnabled else { return }
        zygotes.want(environment)
        state.withLock { $0.decisions.expect(Kind(limits: usualBox, environment: environment), now: Deadline.now) }
        tend()
    }

    /// From the version's own environment; while that has no zygote, from the one without packages.
    private func prepared(_ version: WorkerVersion, since began: UInt64) -> FreshBox? {
        let own = environments.environment(of: version.storeKey)
        zygotes.want(own)
        for environment in own.isEmpty ? [""] : [own, ""] {
            let kind = Kind(limits: version.limits, environment: environment)
            let blank = state.withLock { state -> Blank? in
                guard state.decisions.take(kind, now: Deadline.now) else { return nil }
                return state.shelves[kind]?.popLast()
            }
            if let box = blank?.take(), let shown = show(version, in: box) {
                return FreshBox(box: shown, start: .blank, making: .nanoseconds(Int64(Deadline.now - began)))
            }
            if let box = zygotes.fork(environment, version.limits), let shown = show(version, in: box) {
                return FreshBox(box: shown, start: .zygote, making: .nanoseconds(Int64(Deadline.now - began)))
            }
        }
        return nil
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

    /// One thing after another until all is as it should be, or something failed: the next round tries again.
    private func work() {
        takeBlanks { $1.hasEnded }.forEach(Self.end)
        let forgotten = Set(zygotes.endForgotten())
        takeBlanks { kind, _ in forgotten.contains(kind.environment) }.forEach(Self.end)
        while isOpen, let environment = zygotes.startMissing() {
            // The blanks of the old one go with it: they have its address layout.
            takeBlanks { kind, _ in kind.environment == environment }.forEach(Self.end)
        }
        let usable = zygotes.usable
        while isOpen, let step = nextStep(usable), perform(step) {}
        state.withLock { $0.isTending = false }
    }

    private var isOpen: Bool { state.withLock { !$0.isClosed } }

    private func nextStep(_ usable: Set<String>) -> BlankState<Kind>.Step? {
        let isShort = HostMemory.isShort
        return state.withLock { state in
            state.decisions.next(now: Deadline.now, isShort: isShort) { usable.contains($0.environment) }
        }
    }

    /// Whether it could be done.
    private func perform(_ step: BlankState<Kind>.Step) -> Bool {
        switch step {
        case .drop(let kind):
            state.withLock { $0.shelves[kind]?.popLast() }.map(Self.end)
            return true
        case .make(let kind):
            let began = Deadline.now
            guard let box = zygotes.fork(kind.environment, kind.limits) else {
                state.withLock { $0.decisions.made(kind, seconds: nil) }
                return false
            }
            let seconds = Double(Deadline.now - began) / 1e9
            let blank = Blank(box)
            state.withLock {
                $0.shelves[kind, default: []].append(blank)
                $0.decisions.made(kind, seconds: seconds)
            }
            return true
        }
    }

    private func takeBlanks(where matches: (Kind, Blank) -> Bool = { _, _ in true }) -> [Blank] {
        state.withLock { state in
            var taken: [Blank] = []
            for (kind, blanks) in state.shelves {
                let gone = blanks.filter { matches(kind, $0) }
                state.shelves[kind] = blanks.filter { blank in !gone.contains { $0 === blank } }
                for _ in gone { state.decisions.lost(kind) }
                taken += gone
            }
            return taken
        }
    }

    private static func end(_ blank: Blank) {
        guard let box = blank.take() else { return }
        _ = try? box.destroy()
    }

    /// Ends zygotes and blanks, and makes no more.
    func close() async {
        guard isEnabled else { return }
        state.withLock { $0.isClosed = true }
        try? await thread.runIfActive {
            self.takeBlanks().forEach(Self.end)
            self.zygotes.endAll()
        }
        try? await thread.shutdownGracefully()
    }
}
