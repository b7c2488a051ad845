import Billing
import Catalog
import Foundation
import Invoker
import Logging
import Sandbox
import ServiceLifecycle

/// What is done from time to time: idle workers go, and the files of versions that are gone; grants end, and idempotency
/// keys are forgotten, also while nobody calls.
struct Housekeeping: Service {
    /// How often the ledger does what is due by the clock.
    private static let tickInterval = Duration.seconds(60)
    let catalog: Catalog
    let ledger: Ledger
    let invoker: Invoker
    let store: VersionStore
    let interval: Duration
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var nextTick = ContinuousClock.now
            while !Task.isCancelled {
                try await Task.sleep(for: interval)
                if .now >= nextTick {
                    nextTick = .now + Self.tickInterval
                    await tick()
                }
                await invoker.retireIdle()
                await Self.removeDeadVersions(catalog, invoker, store, logger)
            }
        }
    }

    private func tick() async {
        // Nothing is lost: the next commit, or the next minute, does the same.
        do { try await ledger.tick() } catch { logger.warning("ledger not tended", metadata: ["error": "\(error)"]) }
    }

    /// Removes the files of versions that failed, were deleted, or were being built when a former run ended.
    static func removeDeadVersions(_ catalog: Catalog, _ invoker: Invoker, _ store: VersionStore, _ logger: Logger)
        async
    {
        let dead = catalog.versionsToRemove()
        await invoker.retire(versions: Set(dead.map(\.id)))
        // Calls that still run have their files until they end; the next round takes them.
        let unused = dead.filter { !invoker.isInUse(version: $0.id) }
        do {
            for version in unused {
                try store.remove(version.storeKey)
                try catalog.didRemoveFiles(of: [version.id])
            }
        } catch { logger.warning("files of a dead version not removed", metadata: ["error": "\(error)"]) }
    }
}

/// Sees to the workers that administrators want; apart from the rest, because loading one may take minutes.
struct WorkerKeeping: Service {
    let wishes: WorkerWishes
    let invoker: Invoker
    let interval: Duration

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await invoker.keep(wishes.all)
                try await Task.sleep(for: interval)
            }
        }
    }
}

/// Ends the daemon when the spawner ends, because without it no limit can be enforced; and ends the spawner, with every
/// call that still runs, when a shutdown has lasted long enough.
struct SpawnerWatch: Service {
    let spawner: Spawner
    let drain: Duration
    let logger: Logger

    func run() async throws {
        // A thread of its own, because the wait blocks for as long as the daemon lives.
        Thread.detach {
            let code = spawner.waitForExit()
            if Shutdown.isUnderWay { return }
            logger.critical("faasd-spawner ended, and so does faasd", metadata: ["code": "\(code)"])
            exit(70)
        }
        try? await gracefulShutdown()
        Shutdown.begin()
        // Unstructured: it must not keep a shutdown waiting that is over earlier.
        Task.detached { [self] in
            try? await Task.sleep(for: drain)
            spawner.shutDown()
        }
    }
}
