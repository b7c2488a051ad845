import Foundation
import Sandbox

extension Doctor {
    /// Makes one box and ends it, with everything that a worker's box has: nothing else proves that this host can.
    ///
    /// Needs root; leaves nothing behind.
    static func trial(runtimes: String?) -> Finding {
        let state = "/var/lib/faasd-doctor-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileTree.remove(state) }
        do {
            let (made, ended) = try makeBox(state, runtime: Installation.runtimes(runtimes) + "/python")
            return ok("sandbox", "a box was made in \(made) and ended in \(ended)")
        } catch {
            return missing("sandbox", "no box can be made: \(error)", "mend what is missing above, and ask again")
        }
    }

    private static func makeBox(_ state: String, runtime: String) throws -> (made: String, ended: String) {
        for folder in ["/store", "/roots"] {
            try FileManager.default.createDirectory(atPath: state + folder, withIntermediateDirectories: true)
        }
        let policy = Policy(
            cgroups: Host.cgroups(name: "faasd-doctor"),
            store: state + "/store",
            scratch: state + "/roots",
            profiles: Profile.Kind.allCases.map { Profile($0, runtime: runtime) },
            uidBase: 2_000_000
        )
        let lock = try FileLock.take(state + "/lock", patienceMillis: 0)
        let spawner = try Spawner.start(executable: Installation.spawnerPath, policy: policy, lock: lock)
        defer {
            spawner.shutDown()
            _ = spawner.waitForExit()
        }
        let clock = ContinuousClock()
        let began = clock.now
        let box = try spawner.spawn(
            .unpack,
            limits: BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 8, tmpBytes: 1 << 20)
        )
        let made = began.duration(to: clock.now)
        box.kill()
        _ = try box.destroy()
        let ended = began.duration(to: clock.now) - made
        return (milliseconds(made), milliseconds(ended))
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let micros = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        return "\(micros / 1_000).\(micros % 1_000 / 100) ms"
    }
}
