import Glibc

/// A queue between many tasks and the one writer thread.
///
/// The tasks never block for longer than an append; the thread sleeps on a condition while there is nothing to do.
/// Its bound is kept by the callers: settlements by the number of holds, everything else by `LedgerLimits.writerQueueMax`.
///
/// @unchecked: `elements`, `takenCount` and `isClosed` are touched with `lock` held only, `taken` by the one
/// thread that takes, which the writer sees to; the two pointers never change.
final class OperationQueue: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var elements: [Operation] = []
    private var isClosed = false
    /// What was taken out and not begun; of the one thread that takes.
    private var taken: ArraySlice<Operation> = []
    private var takenCount = 0

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    /// Operations waiting now.
    var count: Int {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return elements.count + takenCount
    }

    /// Appends an operation.
    ///
    /// - Parameters:
    ///   - operation: what is to be recorded.
    ///   - isQuiet: whether the thread is not told: who appends looks after it.
    /// - Returns: false when the queue is closed; the operation is dropped then.
    func append(_ operation: Operation, isQuiet: Bool = false) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard !isClosed else { return false }
        elements.append(operation)
        if elements.count == 1, !isQuiet { pthread_cond_signal(changed) }
        return true
    }

    /// Tells the thread to look, if there is something to do.
    func wake() {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if !elements.isEmpty || takenCount > 0 { pthread_cond_signal(changed) }
    }

    /// Waits until there is something to do; false when the queue is closed and empty.
    func wait() -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while elements.isEmpty, takenCount == 0, !isClosed { pthread_cond_wait(changed, lock) }
        return !elements.isEmpty || takenCount > 0
    }

    /// Takes up to `max` operations; by one thread at a time.
    ///
    /// - Returns: the operations in order; none when there are none.
    func take(max: Int) -> ArraySlice<Operation> {
        if taken.isEmpty { refill() }
        let batch = taken.prefix(max)
        // An empty slice would keep all of them, and what they refer to, until others come.
        taken = taken.count > max ? taken.dropFirst(max) : []
        pthread_mutex_lock(lock)
        takenCount = taken.count
        pthread_mutex_unlock(lock)
        return batch
    }

    /// Takes all there is at once, so that a long queue is not moved up for each batch.
    private func refill() {
        pthread_mutex_lock(lock)
        taken = elements[...]
        takenCount = taken.count
        elements = []
        pthread_mutex_unlock(lock)
    }

    /// Refuses further operations; those in the queue are still taken.
    func close() {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        isClosed = true
        pthread_cond_signal(changed)
    }
}
