import Foundation
import Sandbox

extension Doctor {
    /// Makes one box with everything that a worker's box has, freezes it, and ends it: nothing else proves that this
    /// host can.
    ///
    /// Needs what serving needs; leaves nothing behind.
    static func trial(runtimes: String?) -> [Finding] {
        let folder = Host.isRoot ? "/var/lib" : FileManager.default.temporaryDirectory.path
        let state = "\(folder)/faasd-doctor-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileTree.remove(state) }
        do {
            return try tryBox(state, runtime: Installation.runtimes(runtimes) + "/python")
        } catch {
            let remedy =
                (error as? SandboxError)?.step == "mount"
                ? "overlay file systems in user namespaces: Linux 5.11 or newer, modprobe overlay, and /usr no overlay on an overlay"
                : "mend what is missing above, and ask again"
            return [missing("sandbox", "no box can be made: \(error)", remedy)]
        }
    }

    private static func tryBox(_ state: String, runtime: String) throws(SandboxError) -> [Finding] {
        let spawner = try startSpawner(state, runtime: runtime)
        defer {
            spawner.shutDown()
            _ = spawner.waitForExit()
        }
        let clock = ContinuousClock()
        let began = clock.now
        let limits = BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 8, tmpBytes: 1 << 20)
        let box = try spawner.spawn(.unpack, limits: limits)
        let made = clock.now
        let isFrozen = box.freeze()
        let frozen = clock.now
        let (cpu, hasGroupKill) = (box.cpuMicros, box.hasGroupKill)
        let status = Host.text(at: "/proc/\(box.pid)/status")
        let death = try box.destroy()
        let ended = clock.now
        return [
            ok("sandbox", "a box on overlays, born in its control groups, in \(milliseconds(made - began))"),
            isFrozen
                ? ok("freeze", "in \(milliseconds(frozen - made))")
                : missing("freeze", "not confirmed in \(milliseconds(frozen - made))", "a kernel with the freezer"),
            cpu > 0 || death.cpuMicros > 0
                ? ok("CPU time", "\(death.cpuMicros) µs for a start of Python")
                : missing("CPU time", "the box used none, it is said", "cpuacct, or version 2 control groups"),
            hasGroupKill
                ? ok("kill", "cgroup.kill, frozen box gone in \(milliseconds(ended - frozen))")
                : weaker(
                    "kill",
                    "process by process, frozen box gone in \(milliseconds(ended - frozen))",
                    "mount version 2 control groups beside version 1"
                ), speculation(status: status),
        ]
    }

    /// What the kernel says of speculation in a process that asked for the strictest setting: prctl(2).
    static func speculation(status: String) -> Finding {
        let names = ["Speculation_Store_Bypass", "SpeculationIndirectBranch"]
        let open = names.filter { name in
            status.split(separator: "\n").contains {
                $0.hasPrefix(name) && $0.contains("vulnerable") && !$0.contains("not vulnerable")
            }
        }
        guard !open.isEmpty else { return ok("box speculation", "held back, or the processor has none to hold back") }
        return weaker(
            "box speculation",
            "\(open.joined(separator: ", ")): the processor or the host refuses to hold it back in one process",
            "newer microcode; in a virtual machine, one whose host passes the controls on"
        )
    }

    private static func startSpawner(_ state: String, runtime: String) throws(SandboxError) -> Spawner {
        for folder in ["/store", "/roots"] {
            do {
                try FileManager.default.createDirectory(atPath: state + folder, withIntermediateDirectories: true)
            } catch { throw SandboxError("state", "\(state)\(folder): \(error)") }
        }
        let subordinate =
            Host.isRoot ? nil : try SubordinateIds(of: HostUser.current(), launcher: Installation.launcherPath)
        let policy = Policy(
            cgroups: Host.cgroups(name: "faasd-doctor"),
            store: state + "/store",
            scratch: state + "/roots",
            profiles: Profile.Kind.allCases.map {
                Profile($0, runtime: runtime, sharesDevices: subordinate != nil)
            },
            uidBase: 2_000_000,
            subordinate: subordinate
        )
        let lock = try FileLock.take(state + "/lock", patienceMillis: 0)
        return try Spawner.start(executable: Installation.spawnerPath, policy: policy, lock: lock)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let micros = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        return "\(micros / 1_000).\(micros % 1_000 / 100) ms"
    }
}
