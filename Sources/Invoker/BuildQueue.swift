internal import NIOPosix
internal import Synchronization

/// Threads for builds, apart from those of calls: a slow build delays builds only.
final class BuildQueue: Sendable {
    private let threads: NIOThreadPool
    private let pending = Mutex(0)
    private let pendingMax: Int

    /// Runs that many builds at once, and lets that many wait.
    init(atOnce: Int, waiting: Int) {
        threads = NIOThreadPool(numberOfThreads: atOnce)
        threads.start()
        pendingMax = atOnce + waiting
    }

    /// Runs a build in its turn; nil when too many wait already.
    func run<Value: Sendable>(_ build: @escaping @Sendable () -> Value) async throws -> Value? {
        let isLetIn = pending.withLock { pending in
            guard pending < pendingMax else { return false }
            pending += 1
            return true
        }
        guard isLetIn else { return nil }
        defer { pending.withLock { $0 -= 1 } }
        return try await threads.runIfActive(build)
    }

    func shutDown() async { try? await threads.shutdownGracefully() }
}
