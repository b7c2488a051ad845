import Glibc
import SQLite
import Synchronization

/// The double-entry ledger: who may run a call, what it cost, and who got the money.
///
/// Admission is decided in memory, exact as of the last commit plus the holds of running calls; money moves only in
/// ``settle(_:_:)`` and ``topUp(account:amount:ref:actor:)``, which return when the commit is on disk.
/// One thread owns the only writing connection; readers have their own.
public final class Ledger: Sendable {
    let state: Mutex<AdmissionState>
    let reader: Mutex<LedgerReader?>
    let writer: LedgerWriter
    let clock: LedgerClock
    /// The bounds given at the start.
    public let limits: LedgerLimits
    /// The version of the prices given at the start.
    public let priceVersion: Int64
    private let thread: Mutex<pthread_t?>
    /// Why no call is admitted; nil while calls are.
    let suspension = Mutex<String?>(nil)

    /// Opens the ledger, makes it if there is none, and starts its writer.
    ///
    /// - Parameters:
    ///   - path: the file, `ledger.db`; `-wal` and `-shm` files appear beside it.
    ///   - prices: published as a new price book version when they differ from the last one.
    ///   - limits: the bounds of queues, holds and listings.
    ///   - clock: where times come from.
    ///   - onPoison: told, on the writer's thread, that a commit failed: what it should have recorded is unknown until
    ///     the next start. Callers have been answered then; the process should exit, and must not call ``close()`` here.
    /// - Throws: `LedgerError` with kind `.open`.
    public init(
        path: String,
        prices: PriceBook = .standard,
        limits: LedgerLimits = LedgerLimits(),
        clock: LedgerClock = .system,
        onPoison: @escaping @Sendable (LedgerError) -> Void
    ) throws(LedgerError) {
        let file: LedgerFile
        let reading: LedgerReader
        do throws(SQLiteError) {
            file = try LedgerFile(
                path: path,
                prices: prices,
                now: clock.unixMicroseconds(),
                limits: limits
            )
            reading = try LedgerReader(path: path)
        } catch {
            throw LedgerError(.open, path, cause: error)
        }
        var admission = AdmissionState(prices: prices, priceVersion: file.priceVersion, limits: limits)
        admission.apply(file.everything())
        self.limits = limits
        self.clock = clock
        priceVersion = file.priceVersion
        state = Mutex(admission)
        reader = Mutex(reading)
        thread = Mutex(nil)
        let box = WeakLedger()
        file.takeBack = { account, amount, time in
            box.ledger?.state.withLock { $0.takeBack(account, amount, at: time) } ?? 0
        }
        writer = LedgerWriter(
            file: file,
            clock: clock,
            batchMax: limits.batchMax,
            publish: { changes in box.ledger?.publish(changes) },
            poison: { error in
                box.ledger?.refuseAll()
                onPoison(error)
            }
        )
        box.set(self)
        let started = writer.start()
        guard let started else { throw LedgerError(.open, "no thread for the writer: \(path)") }
        thread.withLock { $0 = started }
    }

    deinit {
        close()
    }

    /// Refuses new calls and those that wait, and returns when every admitted call is settled or released.
    public func drain() async {
        refuseAll()
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.holds.isEmpty { state.drainers.append(continuation) }
                return state.holds.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Records what is in the writer's queue, then closes the file; blocks the calling thread until that is done.
    ///
    /// Everything but reading ``balance(of:)`` and quotas fails afterwards.
    public func close() {
        refuseAll()
        writer.queue.close()
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        reader.withLock { $0 = nil }
        if let running { pthread_join(running, nil) }
    }

    /// Stops admission; calls that wait are refused.
    func refuseAll() {
        let announcements = state.withLock { state in
            state.isDraining = true
            return state.advanceAll(at: moment)
        }
        for announcement in announcements { announcement.tell() }
    }

    var moment: Moment {
        Moment(
            unixMicroseconds: clock.unixMicroseconds(),
            monotonicNanoseconds: clock.monotonicNanoseconds(),
            instant: .now
        )
    }

    /// Asks the writer to record something and waits for the commit.
    ///
    /// Not affected by task cancellation: what the writer has taken, it records.
    func perform(_ action: Operation.Action) async -> Result<Operation.Answer, LedgerError> {
        // Unchecked: each operation is answered once, by the writer or by the refusal here, and there are many.
        await withUnsafeContinuation { continuation in perform(action) { continuation.resume(returning: $0) } }
    }

    /// The same for who does not wait in a task: `reply` is called once, on the thread that writes, or here when it is closed.
    ///
    /// With `mayLead` the calling thread may be the one that writes.
    func perform(
        _ action: Operation.Action,
        mayLead: Bool = false,
        then reply: @escaping @Sendable (Result<Operation.Answer, LedgerError>) -> Void
    ) {
        let operation = Operation(action: action, reply: reply)
        guard !(mayLead ? writer.lead(operation) : writer.queue.append(operation)) else { return }
        reply(.failure(LedgerError(.closed, "the ledger is closed; nothing was recorded")))
    }
}

/// Lets the writer's closures, made in the initializer, find the ledger without keeping it alive.
private final class WeakLedger: Sendable {
    private struct Reference: Sendable {
        weak var ledger: Ledger?
    }

    private let reference = Mutex(Reference())

    var ledger: Ledger? { reference.withLock { $0.ledger } }

    func set(_ ledger: Ledger) { reference.withLock { $0.ledger = ledger } }
}
