internal import Logging
internal import Sandbox
internal import Synchronization

/// The zygotes there are: one that has the standard library only, and one for each environment that was wanted of late.
final class Zygotes: Sendable {
    /// Environments that have a zygote at one time; the one that was wanted longest ago gives way.
    static let environmentsMax = 4
    /// An environment that nobody wanted for this long loses its zygote.
    private static let memoryNanoseconds: UInt64 = 600_000_000_000
    /// How long after one that failed the next is tried.
    private static let retryNanoseconds: UInt64 = 5_000_000_000

    private struct Entry: Sendable {
        var zygote: Zygote?
        var notBefore: UInt64 = 0
    }

    /// When each environment was wanted last; apart from the zygotes, so that nobody who wants one waits for a fork.
    private let wanted = Mutex<[String: UInt64]>([:])

    /// By environment.
    ///
    /// Held while one forks: the spawner takes one request after another anyway.
    private let entries = Mutex<[String: Entry]>([:])
    private let spawner: Spawner
    private let logger: Logger

    init(spawner: Spawner, logger: Logger) {
        self.spawner = spawner
        self.logger = logger
        want("")
    }

    /// Notes that somebody wants a zygote of this environment; the empty one is always wanted.
    func want(_ environment: String) {
        wanted.withLock { $0[environment] = Deadline.now }
    }

    /// A fork; nil when there is no zygote of this environment just now, or it failed.
    func fork(_ environment: String, _ limits: BoxLimits) -> Box? {
        entries.withLock { entries in
            guard let zygote = entries[environment]?.zygote, zygote.isUsable else { return nil }
            do throws(SandboxError) { return try zygote.fork(spawner, limits) } catch {
                logger.error("fork failed", metadata: ["error": "\(error)"])
                return nil
            }
        }
    }

    /// The environments whose zygotes can be forked.
    var usable: Set<String> {
        entries.withLock { Set($0.filter { $0.value.zygote?.isUsable ?? false }.keys) }
    }

    /// Starts the zygote of one environment that is wanted and has none, or an old one.
    ///
    /// - Returns: the environment, whether or not there is a zygote of it now; nil when none is missing.
    func startMissing() -> String? {
        let now = Deadline.now
        let all = wanted.withLock { $0.keys.sorted() }
        let missing = entries.withLock { entries in
            all.first { name in
                guard let entry = entries[name] else { return true }
                return !(entry.zygote?.isUsable ?? false) && entry.notBefore <= now
            }
        }
        guard let missing else { return nil }
        var new: Zygote?
        do throws(SandboxError) { new = try Zygote.start(spawner, environment: missing) } catch {
            logger.error(
                "zygote failed; boxes are started without it",
                metadata: ["error": "\(error)", "environment": "\(missing.isEmpty ? "none" : missing)"]
            )
        }
        let old = entries.withLock { entries in
            let old = entries[missing]?.zygote
            entries[missing] = Entry(zygote: new, notBefore: new == nil ? Deadline.now + Self.retryNanoseconds : 0)
            return old
        }
        old?.end()
        return missing
    }

    /// Ends the zygotes of environments that nobody wanted for long, or that are too many.
    ///
    /// - Returns: their environments.
    func endForgotten() -> [String] {
        let now = Deadline.now
        let forgotten = wanted.withLock { wanted in
            let others = wanted.filter { !$0.key.isEmpty }.sorted { $0.value > $1.value }
            let forgotten = others.enumerated().filter { index, other in
                index >= Self.environmentsMax || now - min(now, other.value) > Self.memoryNanoseconds
            }.map(\.element.key)
            for environment in forgotten { wanted[environment] = nil }
            return forgotten
        }
        let zygotes = entries.withLock { entries in
            forgotten.compactMap { entries.removeValue(forKey: $0)?.zygote }
        }
        for zygote in zygotes { zygote.end() }
        return forgotten
    }

    /// Ends all of them.
    func endAll() {
        let all = entries.withLock { entries in
            defer { entries = [:] }
            return entries.values.compactMap(\.zygote)
        }
        for zygote in all { zygote.end() }
    }
}
