internal import Billing
internal import Catalog
internal import Logging
internal import NIOConcurrencyHelpers
internal import Sandbox
internal import Synchronization

/// Makes workers in the way that their version asks for, and has the templates of those that are forked.
final class Templates: Sendable {
    /// What is known of one key; `turn` is 1 while somebody loads or forks.
    private final class Entry: Sendable {
        struct State: Sendable {
            /// Kept alive by the workers that were forked from it.
            weak var template: Template?
            /// The same, for a while also without any: a worker that fails must not cost the next one a load.
            var kept: Template?
            var usedAt: UInt64 = 0
            /// Until when its code is not forked: it has threads or children, or did not do as it was told.
            var refusedUntil: UInt64 = 0

            var isUsed: Bool { template != nil || refusedUntil > Deadline.now }
        }

        let turn = ConditionLock(value: 0)
        let state = Mutex(State())
    }

    /// Templates without workers that are kept, and for how long.
    private static let keptMax = 8
    private static let keptNanoseconds: UInt64 = 60_000_000_000
    /// Templates at one time, each of which has descriptors and a place in the spawner's table, but no seat.
    private static let templatesMax = 64
    /// Keys that are remembered before those of which nothing is known are forgotten.
    private static let entriesMax = 1_000
    private static let refusalNanoseconds: UInt64 = 600_000_000_000

    private let spawner: Spawner
    private let nursery: Nursery
    private let logger: Logger
    private let entries = Mutex<[PoolKey: Entry]>([:])

    init(spawner: Spawner, nursery: Nursery, logger: Logger) {
        (self.spawner, self.nursery, self.logger) = (spawner, nursery, logger)
    }

    /// A worker with its code loaded, running and ready.
    ///
    /// Blocks its thread while the code loads, or while another call's worker of the same key does.
    ///
    /// - Parameter order: for whom, of which version, until when.
    /// - Returns: the worker.
    /// - Throws: `StartFailure`: the author's fault with its verdict, or ours.
    func worker(_ order: StartOrder) throws(StartFailure) -> Worker {
        switch order.version.start {
        case .template where spawner.hasZygotes: try forked(order)
        case .exec, .template: try plain(order, isForked: false)
        case .fork: try plain(order, isForked: true)
        }
    }

    private func plain(_ order: StartOrder, isForked: Bool) throws(StartFailure) -> Worker {
        try Worker.start(order) { (isRepeated) throws(SandboxError) in
            try nursery.box(order.version, isForked: isForked && !isRepeated)
        }
    }

    private func forked(_ order: StartOrder) throws(StartFailure) -> Worker {
        let began = Deadline.now
        let entry = entry(order.key)
        if entry.state.withLock({ $0.refusedUntil > began }) { return try plain(order, isForked: false) }
        let seconds = Double(order.deadline.remaining.nanosecondsClamped) / 1e9
        guard entry.turn.lock(whenValue: 0, timeoutSeconds: seconds) else { throw timeout(order) }
        // Not held as a lock meanwhile: who waits for that has no deadline.
        entry.turn.unlock(withValue: 1)
        defer {
            entry.turn.lock()
            entry.turn.unlock(withValue: 0)
        }
        guard order.deadline.millisecondsLeft > 0 else { throw timeout(order) }
        if let template = entry.state.withLock({ $0.template }) {
            if let worker = fork(template, order, since: began) {
                entry.state.withLock { ($0.kept, $0.usedAt) = (template, Deadline.now) }
                return worker
            }
            // Out of the lock: to end one takes a moment.
            let gone = entry.state.withLock { state in
                state.template = nil
                return state.kept.take()
            }
            _ = consume gone
        }
        return try first(order, entry)
    }

    private func timeout(_ order: StartOrder) -> StartFailure { .author(order.onTimeout, log: "", cpu: .zero) }

    /// Loads the code, and forks the first worker off it.
    private func first(_ order: StartOrder, _ entry: Entry) throws(StartFailure) -> Worker {
        let count = entries.withLock { $0.values.count { $0.state.withLock { $0.template != nil } } }
        guard count < Self.templatesMax else { return try plain(order, isForked: false) }
        let loaded = try Worker.start(order) { (_) throws(SandboxError) in
            let began = Deadline.now
            let (key, limits) = (order.version.storeKey, order.version.limits)
            let box = try spawner.spawn(.worker, version: key, limits: limits, isTemplate: true)
            return FreshBox(box: box, start: .exec, making: .nanoseconds(Int64(Deadline.now - began)))
        }
        guard loaded.canBranch else {
            entry.state.withLock { $0.refusedUntil = Deadline.now + Self.refusalNanoseconds }
            return loaded
        }
        if let box = loaded.giveBox(), let template = try? Template(box),
            let worker = fork(template, order, since: Deadline.now, loaded: loaded)
        {
            entry.state.withLock { ($0.template, $0.kept, $0.usedAt) = (template, template, Deadline.now) }
            return worker
        }
        entry.state.withLock { $0.refusedUntil = Deadline.now + Self.refusalNanoseconds }
        return try plain(order, isForked: false)
    }

    private func fork(
        _ template: Template,
        _ order: StartOrder,
        since began: UInt64,
        loaded: Worker? = nil
    ) -> Worker? {
        do throws(SandboxError) {
            let box = try template.fork(order.version.limits)
            let made = FreshBox(box: box, start: .template, making: .nanoseconds(Int64(Deadline.now - began)))
            return Worker(order, made, of: template, loaded: loaded)
        } catch {
            logger.warning("no fork", metadata: ["version": "\(order.version.name)", "error": "\(error)"])
            return nil
        }
    }

    /// Lets go of templates that nobody has asked for of late, and of the rest but the latest few.
    ///
    /// - Parameters:
    ///   - isShort: whether the host needs the memory of them all.
    ///   - versions: those that are gone.
    func retire(isShort: Bool = false, versions: Set<Int64> = []) {
        let now = Deadline.now
        let all = entries.withLock { Array($0) }
        let used = all.compactMap { entry in entry.value.state.withLock { $0.kept == nil ? nil : $0.usedAt } }.sorted(
            by: >
        )
        let oldest = used.count > Self.keptMax ? used[Self.keptMax - 1] : 0
        for (key, entry) in all {
            // Out of the lock: to end one takes a moment.
            let gone = entry.state.withLock { state -> Template? in
                let isOld = state.usedAt < oldest || now - min(now, state.usedAt) > Self.keptNanoseconds
                guard isShort || isOld || versions.contains(key.versionID) else { return nil }
                return state.kept.take()
            }
            _ = consume gone
        }
    }

    /// Lets go of all of them.
    func close() { retire(isShort: true) }

    private func entry(_ key: PoolKey) -> Entry {
        entries.withLock { entries in
            if let known = entries[key] { return known }
            if entries.count >= Self.entriesMax {
                entries = entries.filter { _, entry in entry.turn.value != 0 || entry.state.withLock { $0.isUsed } }
            }
            let new = Entry()
            entries[key] = new
            return new
        }
    }
}
