import Foundation
import Testing

@testable import Sandbox

extension RealBoxes {
    /// What of the kernel each set of system calls reaches, tried from inside a real box.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct ReachTests {
        private static let attacks = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Attacks")

        private func golden(_ calls: SyscallProfile) -> URL {
            Self.attacks.appendingPathComponent("golden/\(calls.rawValue)-syscalls.txt")
        }

        /// The outcome of every number, tried by the program of attack PR29.
        private func sweep(_ change: (inout Profile) -> Void) throws -> [String] {
            let sweep = Self.attacks.appendingPathComponent("processes/PR29_all_calls.py")
            let program = "import sys; sys.path.insert(0,'/fn/code'); import sweep; print(*sweep.apply(0))"
            let live = try LiveSpawner(
                uidBase: 3_300_000,
                files: ["sweep.py": try String(contentsOf: sweep, encoding: .utf8)]
            ) {
                $0.arguments = ["/usr/bin/python3", "-I", "-S", "-B", "-c", program]
                change(&$0)
            }
            let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: LiveSpawner.limits)
            let text = box.everythingPrinted(within: 60)
            _ = try box.destroy()
            return text.split(whereSeparator: \.isWhitespace).map(String.init)
        }

        @Test(arguments: [(SyscallProfile.python, 120), (.general, 180), (.jit, 183), (.native, 180)])
        func `a set reaches exactly the calls of its golden list`(calls: SyscallProfile, most: Int) throws {
            let lines = try String(contentsOf: golden(calls), encoding: .utf8).split(separator: "\n")
            let rows = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ").map(String.init) }
            let found = try sweep { $0.syscalls = Syscalls.worker(calls) }
            try #require(found.count == rows.count, "the sweep printed \(found.count) words: \(found.prefix(9))")
            if ProcessInfo.processInfo.environment["FAASD_WRITE_GOLDEN"] != nil {
                let now = zip(rows, found).map { "\($0[0]) \($0[1]) \($1)" }
                let text = lines.filter { $0.hasPrefix("#") }.map(String.init) + now
                try (text.joined(separator: "\n") + "\n").write(to: golden(calls), atomically: true, encoding: .utf8)
            }
            for (row, outcome) in zip(rows, found) where outcome != row[2] {
                // The kernel's own trampolines, which kernels before 6.14 and 6.18 let the filter refuse.
                #expect(["335", "336"].contains(row[0]) && outcome == "ENOSYS", "\(row): now \(outcome)")
            }
            let reached = found.filter { $0 == "reached" }.count
            #expect(reached <= most && reached > most - 12, "\(reached) calls are reached")
        }

        /// Rows that differ from the list of `python`: a variant of it has no list of its own.
        private func differences(_ change: (inout Profile) -> Void) throws -> [String] {
            let lines = try String(contentsOf: golden(.python), encoding: .utf8).split(separator: "\n")
            let rows = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ").map(String.init) }
            let found = try sweep(change)
            try #require(found.count == rows.count, "the sweep printed \(found.count) words: \(found.prefix(9))")
            return zip(rows, found).filter { $0[2] != $1 && !["335", "336"].contains($0[0]) }.map { "\($0[1]) \($1)" }
        }

        @Test(.enabled(if: Landlock.ofThisKernel.networkRights != 0, "needs Landlock's rules for TCP, ABI 4"))
        func `with listeners a box reaches no other call than without`() throws {
            #expect(try differences { $0 = $0.withLoopback(listeners: 1) } == [])
        }

        @Test func `where devices are shared a box reaches one call less`() throws {
            #expect(try differences { $0.syscalls = Syscalls.withoutLocks($0.syscalls) } == ["flock ENOLCK"])
        }
    }
}
