import Foundation
import Testing

@testable import Sandbox

extension RealBoxes {
    /// Boxes that are forked from a real interpreter, on the real kernel, judged from outside.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct ZygoteTests {
        private let live: LiveSpawner

        init() throws { live = try LiveSpawner.shared.get() }

        private static let limits = BoxLimits(memoryBytes: 512 << 20, cpuMillis: 2_000, pids: 16, tmpBytes: 8 << 20)

        /// A zygote that has said it is ready.
        private func zygote() throws -> Box {
            let box = try live.spawner.spawn(.zygote, limits: Self.limits)
            let answer = box.ask(type: 1, "")
            try #require(answer?.type == 0x81, "a zygote said \(String(describing: answer))")
            return box
        }

        private func status(_ box: borrowing Box, _ name: String) -> String {
            let text = Host.text(at: "/proc/\(box.pid)/status")
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") } ?? ""
            return line.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
        }

        private func namespace(_ box: borrowing Box, _ kind: String) -> String {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(box.pid)/ns/\(kind)")) ?? "none"
        }

        @Test func `a fork has every layer of a box, and a zygote nothing of the host's`() throws {
            let zygote = try zygote()
            let first = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            let second = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status(first, set) == "0000000000000000", "\(set)")
            }
            #expect(
                status(first, "Seccomp") == "2" && status(first, "NoNewPrivs") == "1"
                    && status(zygote, "NoNewPrivs") == "1"
            )
            #expect(
                Proof.filters(Host.text(at: "/proc/\(first.pid)/status"))
                    == Proof.filters(Host.text(at: "/proc/\(zygote.pid)/status")).map { $0 + 1 }
            )
            for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
                let all = Set([namespace(first, kind), namespace(second, kind), namespace(zygote, kind)])
                #expect(all.count == 3 && !all.contains("none"), "\(kind): \(all)")
            }
            // SETGID and SETUID, and that in a user namespace that owns nothing.
            #expect(status(zygote, "CapEff") == "00000000000000c0" && status(zygote, "CapBnd") == "00000000000000c0")
            let host = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/user")
            #expect(namespace(zygote, "user") != host)
            let users = [status(first, "Uid"), status(second, "Uid"), status(zygote, "Uid")]
            #expect(Set(users).count == 3)
            for box in [try first.destroy(), try second.destroy(), try zygote.destroy()] {
                #expect(box.cause == .signaled(9))
            }
        }

        @Test func `a fork in version 1 and 2 groups of its own answers once it was shown a version`() throws {
            let zygote = try zygote()
            let box = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            let groups = Host.text(at: "/proc/\(box.pid)/cgroup")
            let own = Set(
                groups.split(separator: "\n").filter { $0.contains("/box-") }.compactMap {
                    $0.split(separator: "/").last
                }
            )
            #expect(own.count == 1, "one name in all hierarchies: \(groups)")
            try box.assign(version: LiveSpawner.version)
            #expect(box.ask(type: 1, "echo")?.type == 0x81)
            #expect(box.ask(type: 2, "text")?.payload == "text")
            #expect(throws: SandboxError.self) { try box.assign(version: LiveSpawner.version) }
            _ = try box.destroy()
            _ = try zygote.destroy()
        }

        @Test func `a version that is not there is an error of the fork, not of the zygote`() throws {
            let zygote = try zygote()
            let box = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            #expect(throws: SandboxError.self) { try box.assign(version: [UInt8](repeating: 0xcd, count: 32)) }
            _ = try box.destroy()
            let next = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            try next.assign(version: LiveSpawner.version)
            #expect(next.ask(type: 1, "echo")?.type == 0x81)
            _ = try next.destroy()
            _ = try zygote.destroy()
        }

        @Test(arguments: [SIGKILL, SIGSTOP])
        func `a zygote that is killed or stands still fails the fork in a second, and its earlier forks live on`(
            signal: Int32
        ) throws {
            let zygote = try zygote()
            let earlier = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            kill(zygote.pid, signal)
            let began = Date()
            let error = #expect(throws: SandboxError.self) {
                _ = try live.spawner.fork(zygote, limits: LiveSpawner.limits).pid
            }
            #expect(error?.step == "zygote" && Date().timeIntervalSince(began) < 2)
            try earlier.assign(version: LiveSpawner.version)
            #expect(earlier.ask(type: 1, "echo")?.type == 0x81)
            _ = try earlier.destroy()
            _ = try zygote.destroy()
        }

        @Test func `two hundred forks leave nothing behind`() throws {
            let zygote = try zygote()
            for _ in 0..<5 { _ = try live.spawner.fork(zygote, limits: LiveSpawner.limits).destroy() }
            let (groups, before) = (live.boxGroups, counts(zygote))
            for _ in 0..<200 { _ = try live.spawner.fork(zygote, limits: LiveSpawner.limits).destroy() }
            #expect(live.boxGroups == groups && counts(zygote) == before)
            _ = try zygote.destroy()
        }

        /// Descriptors of the spawner and the zygote, and children of the spawner, dead ones included.
        private func counts(_ zygote: borrowing Box) -> [Int] {
            let spawner = live.spawner.pid
            let children = Host.text(at: "/proc/\(spawner)/task/\(spawner)/children").split(separator: " ")
            let open = [spawner, zygote.pid].map {
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\($0)/fd").count) ?? -1
            }
            return open + [children.count]
        }

        @Test func `nothing of the policy is left in a fork`() throws {
            let zygote = try zygote()
            let box = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            #expect(Host.text(at: "/proc/\(zygote.pid)/maps").contains("memfd:"), "otherwise this proves nothing")
            #expect(!Host.text(at: "/proc/\(box.pid)/maps").contains("memfd:"))
            // It opens files of its own while it rehearses.
            let rested = try live.spawner.fork(zygote, limits: LiveSpawner.limits)
            usleep(300_000)
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(rested.pid)/fd")
            #expect(Set(open) == ["0", "1", "2", "3", "4"])
            _ = try rested.destroy()
            _ = try box.destroy()
            _ = try zygote.destroy()
        }
    }
}

extension Box {
    /// Sends one frame and reads one; nil when there is none within ten seconds.
    fileprivate func ask(type: UInt8, _ payload: String) -> (type: UInt8, payload: String)? {
        var frame: [UInt8] = [0x5d, 0xfa, type, 0]
        withUnsafeBytes(of: UInt32(payload.utf8.count).littleEndian) { frame += $0 }
        frame += [UInt8](repeating: 7, count: 8) + Array(payload.utf8)
        guard write(requestPipe, frame, frame.count) == frame.count else { return nil }
        var answer: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while answer.count < 16 || answer.count < 16 + Int(answer[4]) {
            var handles = [
                pollfd(fd: replyPipe, events: Int16(POLLIN), revents: 0),
                pollfd(fd: processHandle, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&handles, 2, 10_000) > 0 else { return nil }
            let length = read(replyPipe, &bytes, bytes.count)
            if length > 0 { answer += bytes.prefix(length) } else if handles[1].revents != 0 { return nil }
        }
        return (answer[2], String(decoding: answer.dropFirst(16), as: UTF8.self))
    }
}
