import Foundation
import Testing

@testable import Sandbox

extension RealBoxes {
    /// Real boxes on the real kernel, judged from outside.
    ///
    /// Serial, because counts of descriptors and groups are compared.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct BoxTests {
        private let live: LiveSpawner

        init() throws { live = try LiveSpawner.shared.get() }

        private func spawn(_ limits: BoxLimits = LiveSpawner.limits) throws -> Box {
            try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: limits)
        }

        private func status(_ pid: Int32) throws -> [String: String] {
            let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            return Dictionary(
                text.split(separator: "\n").compactMap { line in
                    let parts = line.split(separator: "\t", maxSplits: 1)
                    return parts.count == 2 ? (String(parts[0].dropLast()), String(parts[1])) : nil
                },
                uniquingKeysWith: { first, _ in first }
            )
        }

        @Test func `a box has no capabilities, no new privileges, a filter and a user of its own`() throws {
            let box = try spawn()
            let status = try status(box.pid)
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status[set] == "0000000000000000", "\(set)")
            }
            #expect(status["NoNewPrivs"] == "1")
            #expect(status["Seccomp"] == "2")
            let uid = try #require(status["Uid"].flatMap { UInt32($0.split(separator: "\t")[0]) })
            #expect(uid >= 3_000_000)
            #expect(status["Groups"] == nil || status["Groups"]?.trimmingCharacters(in: .whitespaces) == "")
            _ = try box.destroy()
        }

        @Test func `two live boxes have different users`() throws {
            let first = try spawn()
            let second = try spawn()
            let users = (try status(first.pid)["Uid"], try status(second.pid)["Uid"])
            #expect(users.0 != users.1)
            _ = try first.destroy()
            _ = try second.destroy()
        }

        @Test(arguments: ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"])
        func `a box has a namespace of its own`(namespace: String) throws {
            let box = try spawn()
            let path = "ns/" + namespace
            let inside = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(box.pid)/\(path)")
            let outside = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/\(path)")
            #expect(inside != outside)
            _ = try box.destroy()
        }

        @Test func `a frozen box uses no CPU and dies at once`() throws {
            let box = try spawn()
            let isFrozen = box.freeze()
            let before = box.cpuMicros
            usleep(50_000)
            let after = box.cpuMicros
            #expect(isFrozen && after == before)
            let death = try box.destroy()
            #expect(death.cause == .signaled(9))
            #expect(death.cpuMicros >= before)
        }

        @Test func `two hundred lives leave nothing behind`() throws {
            for _ in 0..<5 { _ = try spawn().destroy() }
            let (descriptors, groups) = (openDescriptors(), live.boxGroups)
            let spawners = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(live.spawner.pid)/fd").count
            for _ in 0..<200 { _ = try spawn().destroy() }
            #expect(openDescriptors() == descriptors)
            #expect(live.boxGroups == groups)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(live.spawner.pid)/fd").count == spawners
            )
        }

        @Test func `a box that is merely let go is ended`() throws {
            let pid: Int32
            do {
                let box = try spawn()
                pid = box.pid
            }
            #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)/ns/pid"))
        }

        @Test(arguments: [
            (BoxLimits(memoryBytes: (8 << 20) - 1, cpuMillis: 1_000, pids: 16, tmpBytes: 1 << 20), false),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 9, pids: 16, tmpBytes: 1 << 20), false),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 10, pids: 16, tmpBytes: 1 << 20), true),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 0, tmpBytes: 1 << 20), false),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 1, tmpBytes: 1 << 20), true),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 4_096, tmpBytes: 1 << 20), true),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 4_097, tmpBytes: 1 << 20), false),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 16, tmpBytes: 4_095), false),
            (BoxLimits(memoryBytes: 64 << 20, cpuMillis: 1_000, pids: 16, tmpBytes: 4_096), true),
        ])
        func `the spawner takes limits within its bounds only`(limits: BoxLimits, isTaken: Bool) throws {
            do throws(SandboxError) {
                let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: limits)
                #expect(isTaken)
                _ = try box.destroy()
            } catch {
                #expect(!isTaken, "\(error)")
                #expect(error.step == "request" && error.errno == EINVAL)
            }
        }

        @Test func `a version that is not in the store is an error, and nothing is left`() throws {
            let groups = live.boxGroups
            do throws(SandboxError) {
                let box = try live.spawner.spawn(
                    .worker,
                    version: [UInt8](repeating: 1, count: 32),
                    limits: LiveSpawner.limits
                )
                _ = try box.destroy()
                Issue.record("a box without a version")
            } catch {
                #expect(error.step == "version" && error.errno == ENOENT)
            }
            #expect(live.boxGroups == groups)
        }

        private func openDescriptors() -> Int {
            // Other suites run beside this one; what is counted is pipes and control files of boxes.
            ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).filter { name in
                let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")) ?? ""
                return target.contains(live.group) || target.contains("pidfd")
            }.count
        }
    }
}
