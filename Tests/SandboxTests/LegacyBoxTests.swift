import Foundation
import Testing

@testable import Sandbox

extension RealBoxes {
    /// Boxes on control groups of version 1 alone: no `cgroup.kill`, the freezer instead, which holds even SIGKILL back.
    @Suite(
        .serialized,
        .timeLimit(.minutes(2)),
        .enabled(
            if: LiveSpawner.legacyLayout(name: "x").missing.isEmpty,
            "needs the version 1 controllers memory, pids, cpu, cpuacct and freezer"
        )
    ) struct LegacyBoxTests {
        private let live: LiveSpawner

        init() throws { live = try LiveSpawner.legacy.get() }

        private func spawn() throws -> Box {
            try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
        }

        @Test func `a box is born in every version 1 group`() throws {
            let box = try spawn()
            let membership = try String(contentsOfFile: "/proc/\(box.pid)/cgroup", encoding: .utf8)
            for controller in ["memory", "pids", "cpu", "cpuacct", "freezer"] {
                #expect(membership.contains(":\(controller):/\(live.group)/box-"), "\(controller): \(membership)")
            }
            _ = try box.destroy()
        }

        @Test func `the limits are those that were asked for`() throws {
            let box = try spawn()
            let group = try #require(
                try String(contentsOfFile: "/proc/\(box.pid)/cgroup", encoding: .utf8).split(separator: "\n")
                    .first { $0.contains(":memory:") }?.split(separator: "/").last
            )
            func limit(_ controller: String, _ file: String) throws -> String {
                let base = try #require(live.layout.legacy[controller]?.base)
                return try String(contentsOfFile: "\(base)/\(group)/\(file)", encoding: .utf8).filter { !$0.isNewline }
            }
            #expect(try limit("memory", "memory.limit_in_bytes") == "\(128 << 20)")
            #expect(try limit("pids", "pids.max") == "16")
            #expect(try limit("cpu", "cpu.cfs_quota_us") == "100000")
            _ = try box.destroy()
        }

        @Test func `a frozen box uses no CPU, and dies all the same`() throws {
            let box = try spawn()
            let isFrozen = box.freeze()
            // A task counts as frozen just before it is scheduled out, which a busy host may put off.
            usleep(20_000)
            let before = box.cpuMicros
            usleep(50_000)
            let after = box.cpuMicros
            #expect(isFrozen && before > 0 && after - before < 100)
            let pid = box.pid
            #expect(try box.destroy().cause == .signaled(9))
            #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)/ns/pid"))
        }

        @Test func `fifty lives leave no group behind`() throws {
            let groups = live.boxGroups
            for _ in 0..<50 { _ = try spawn().destroy() }
            #expect(live.boxGroups == groups)
        }
    }
}
