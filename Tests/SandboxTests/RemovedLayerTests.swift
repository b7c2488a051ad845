import Foundation
import Glibc
import NIOCore
import Testing

@testable import Invoker
@testable import Sandbox

extension RealBoxes {
    /// Layers that the spawner's own steps make: taken away in a copy of its sources.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct RemovedLayerTests {
        private typealias Policies = Set<LayerTests.Layer>

        private func live(
            without layers: Set<PatchedSpawner.Layer>,
            policies: Policies,
            attack: LayerAttack,
            argument: String = "",
            isChecking: Bool = false
        ) throws -> LiveSpawner {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("faasd-layer-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = try PatchedSpawner.build(without: layers, in: folder)
            return try LiveSpawner(uidBase: 3_500_000, program: program, isChecking: isChecking) { profile in
                profile.arguments = ["/usr/bin/python3", "-I", "-S", "/fn/code/attack.py", attack.rawValue, argument]
                LayerTests.remove(policies, from: &profile)
            }
        }

        private func run(
            _ attack: LayerAttack,
            without layers: Set<PatchedSpawner.Layer>,
            _ policies: Policies,
            argument: String = ""
        ) throws -> String {
            let live = try live(without: layers, policies: policies, attack: attack, argument: argument)
            let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
            let word = box.everythingPrinted(within: 10).filter { $0 != "\n" }
            let death = try box.destroy()
            return word.isEmpty ? "\(death.cause)" : word
        }

        @Test func `without the capability drop only the filter keeps the host's name`() throws {
            #expect(try run(.hostname, without: [], []) == "EPERM")
            #expect(try run(.hostname, without: [.capabilityDrop], []) == "EPERM")
            #expect(try run(.hostname, without: [], [.filter]) == "EPERM")
            #expect(try run(.hostname, without: [.capabilityDrop], [.filter]) == "made")
        }

        @Test(arguments: [(PatchedSpawner.Layer.capabilityDrop, "CapBnd"), (.filter, "Seccomp_filters")])
        func `a box that lacks a layer is refused from outside`(layer: PatchedSpawner.Layer, field: String) throws {
            let live = try live(without: [layer], policies: [], attack: .hostname, isChecking: true)
            let error = #expect(throws: SandboxError.self) {
                _ = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
            }
            #expect(error?.step == "proof" && error?.detail.contains(field) == true)
            #expect(live.boxGroups == 0)
        }

        @Test func `programs in /tmp run when neither the mount nor Landlock forbids it`() throws {
            #expect(try run(.execute, without: [], []) == "failed")
            #expect(try run(.execute, without: [.noExecution], []) == "failed")
            #expect(try run(.execute, without: [], [.landlock]) == "failed")
            #expect(try run(.execute, without: [.noExecution], [.landlock]) == "ran")
        }

        /// What came of killing the first process of another box by its number on the host, and whether that one died.
        private func killNeighbour(_ layers: Set<PatchedSpawner.Layer>, _ policies: Policies) throws -> String {
            let live = try live(without: layers, policies: policies, attack: .signal, argument: "")
            let neighbour = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
            let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
            let number = Array("\(neighbour.pid)".utf8)
            try #require(write(box.requestPipe, number, number.count) == number.count)
            let said = box.everythingPrinted(within: 10).split(separator: "\n").last.map(String.init) ?? "nothing"
            var handle = pollfd(fd: neighbour.processHandle, events: Int16(POLLIN), revents: 0)
            let died = poll(&handle, 1, said == "sent" ? 5_000 : 100) == 1
            _ = try box.destroy()
            _ = try neighbour.destroy()
            return said + (died ? ", and it died" : "")
        }

        @Test func `another box is behind the pid namespace, its own user and Landlock's scope`() throws {
            #expect(try killNeighbour([], []) == "ESRCH")
            // Without the pid namespace its number is known; user and scope still mask it.
            #expect(try killNeighbour([.pidNamespace], []) == "EPERM")
            #expect(try killNeighbour([.pidNamespace, .uniqueUsers], []) == "EPERM")
            #expect(try killNeighbour([.pidNamespace, .landlock], []) == "EPERM")
            #expect(try killNeighbour([.pidNamespace, .uniqueUsers, .landlock], []) == "sent, and it died")
        }

        /// What the daemon makes of an answer that a box wrote before it was asked, with a number it guessed.
        private func forge(guess: UInt64, nonce: UInt64) throws -> Conversation.Event {
            var frame = FrameHeader(.call, length: 2, nonce: guess)
            frame.type = FrameHeader.Reply.result.rawValue
            var answer = ByteBuffer()
            frame.write(to: &answer)
            answer.writeString("{}")
            let bytes = Array(answer.readableBytesView)
            let live = try LiveSpawner(uidBase: 3_600_000) { profile in
                let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                profile.arguments = ["/usr/bin/python3", "-I", "-S", "/fn/code/attack.py", "forge", hex]
            }
            let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
            var conversation = Conversation(
                .call,
                payload: ByteBuffer(),
                logBytesMax: 0,
                deadline: Deadline(after: .seconds(10)),
                nonce: nonce
            ) { $0 == .result ? 100 : nil }
            let event = conversation.next(box)
            _ = try box.destroy()
            return event
        }

        @Test func `an answer from before the question is refused by its number, and by nothing else`() throws {
            guard case .violation = try forge(guess: 7, nonce: 8) else { Issue.record("it was not refused"); return }
            guard case .frame(.result, _, let payload) = try forge(guess: 7, nonce: 7) else {
                Issue.record("without the secret number it should have been accepted")
                return
            }
            #expect(payload.readableBytes == 2)
        }
    }
}
