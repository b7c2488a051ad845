import Glibc
import SQLite

/// Writes and checkpoints the ledger, one transaction after another.
///
/// A thread drains the queue into one transaction, commits, publishes, answers, and looks again: commits group themselves.
/// Only when many operations come does it let some more gather first, which takes a fifth of the processor time off
/// each. While there is little to do, who settles a call commits by itself (`lead`), which saves the way to another
/// thread and back. After a failed transaction nothing is ever written again.
///
/// @unchecked: `file`, `last` and the taking end of the queue belong to whoever has `turn`.
final class LedgerWriter: @unchecked Sendable {
    /// Log size from which the writer moves pages into the file, and from which it also starts the log anew when idle.
    ///
    /// While it does, calls wait: small steps keep that to some milliseconds, and the log on pages it has written before.
    private static let checkpointPages = 256
    private static let restartPages = 16_384

    /// From this many operations in the last commit on, and while fewer than so many wait, it pauses before the next.
    ///
    /// Most of a commit's cost is the same for one operation as for twenty: see docs/decisions/0017.
    private static let gatherFrom = 2
    private static let gatherBelow = 8
    private static let gatherMicroseconds: UInt32 = 50

    let queue = OperationQueue()
    private let turn = Turn()
    private var file: LedgerFile?
    /// Operations in the last commit.
    private var last = 0
    private let clock: LedgerClock
    private let batchMax: Int
    private let publish: @Sendable (CommittedChanges) -> Void
    private let poison: @Sendable (LedgerError) -> Void

    /// - Parameters:
    ///   - file: the open ledger; the writer owns it from now on.
    ///   - clock: gives the time of each commit.
    ///   - batchMax: operations in one commit.
    ///   - publish: is told what a commit changed, before the callers are answered.
    ///   - poison: is told of the failure that stopped the writer, after the callers have been answered.
    init(
        file: sending LedgerFile,
        clock: LedgerClock,
        batchMax: Int,
        publish: @escaping @Sendable (CommittedChanges) -> Void,
        poison: @escaping @Sendable (LedgerError) -> Void
    ) {
        self.file = file
        self.clock = clock
        self.batchMax = batchMax
        self.publish = publish
        self.poison = poison
    }

    /// Starts the thread; it runs until the queue is closed and empty.
    ///
    /// - Returns: the thread, to be joined once, or nil when the system has none left.
    func start() -> pthread_t? {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<LedgerWriter>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard code == 0 else {
            context.release()
            return nil
        }
        return thread
    }

    private func run() {
        while queue.wait() {
            turn.take()
            let isBusy = last >= Self.gatherFrom
            turn.give()
            if isBusy, queue.count < Self.gatherBelow { usleep(Self.gatherMicroseconds) }
            turn.take()
            writeBatch()
            turn.give()
        }
        turn.take()
        // Leaves a file that is whole without its log; a failure here loses nothing, the log is still there.
        _ = try? file?.connection.checkpoint(.passive)
        file = nil
        turn.give()
    }

    /// Records an operation, and what waits with it, on the calling thread, unless another is about it or much is to do.
    ///
    /// Blocks the thread for as long as the disk takes.
    ///
    /// - Returns: false when the queue is closed; the operation is dropped then.
    func lead(_ operation: Operation) -> Bool {
        guard queue.append(operation, isQuiet: true) else { return false }
        // Where another has the turn, the thread is woken below and waits for it, so that nothing is left behind.
        if turn.tryTake() {
            if last < Self.gatherFrom { writeBatch() }
            turn.give()
        }
        queue.wake()
        return true
    }

    /// By whoever has the turn.
    private func writeBatch() {
        guard let file else { return }
        let batch = queue.take(max: batchMax)
        guard !batch.isEmpty else { return }
        last = batch.count
        do throws(SQLiteError) {
            try commit(batch, to: file)
            try checkpoint(file)
        } catch { stop(because: error) }
    }

    private func commit(_ batch: ArraySlice<Operation>, to file: LedgerFile) throws(SQLiteError) {
        var answers: [Result<Operation.Answer, LedgerError>] = []
        answers.reserveCapacity(batch.count)
        do throws(SQLiteError) {
            try file.beginBlock(at: clock.unixMicroseconds())
            try file.expireLots()
            for operation in batch { answers.append(try file.record(operation.action)) }
            try file.finishBlock()
        } catch {
            file.connection.rollback()
            let unknown = LedgerError(.outcomeUnknown, "the ledger could not commit and has stopped", cause: error)
            for operation in batch { operation.reply?(.failure(unknown)) }
            throw error
        }
        publish(file.changes)
        for (operation, answer) in zip(batch, answers) { operation.reply?(answer) }
    }

    private func checkpoint(_ file: LedgerFile) throws(SQLiteError) {
        let pages = file.connection.logPages
        guard pages >= Self.checkpointPages else { return }
        try file.connection.checkpoint(pages >= Self.restartPages && queue.count == 0 ? .restart : .passive)
    }

    private func stop(because error: SQLiteError) {
        file = nil
        queue.close()
        let closed = LedgerError(
            .closed,
            "the ledger has stopped after a failed commit; nothing was recorded",
            cause: error
        )
        while case let rest = queue.take(max: batchMax), !rest.isEmpty {
            for operation in rest { operation.reply?(.failure(closed)) }
        }
        poison(LedgerError(.outcomeUnknown, "the ledger could not commit and has stopped", cause: error))
    }
}

/// Who writes: a mutex that may be tried.
///
/// @unchecked: the pointer never changes.
private final class Turn: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { pthread_mutex_init(lock, nil) }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    func take() { pthread_mutex_lock(lock) }
    func tryTake() -> Bool { pthread_mutex_trylock(lock) == 0 }
    func give() { pthread_mutex_unlock(lock) }
}
