import Foundation
import Glibc
import Sandbox

/// What a box costs, and how soon one is gone: `sandbox-bench PROGRAMS`, as root, on a quiet machine.
///
/// PROGRAMS is the folder with `faasd-spawner`. Each row stands beside bubblewrap's, measured in turns with it.
@main
enum SandboxBench {
    private static let rounds = 300
    private static let limits = BoxLimits(memoryBytes: 128 << 20, cpuMillis: 1_000, pids: 64, tmpBytes: 32 << 20)
    /// What `docs/benchmarks.md` shows beside the figures: every namespace and a read-only root, no filter, no limits.
    private static let peer = [
        "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev",
    ]

    static func main() throws {
        let programs = CommandLine.arguments.dropFirst().first ?? "."
        try fromNothing(programs)
        try ends(programs)
    }

    /// C3: a box with every layer, its program executed, seen to end, and removed.
    private static func fromNothing(_ programs: String) throws {
        let rig = try Rig(programs, ["/usr/bin/true"])
        defer { rig.end() }
        var (boxes, peers): ([Double], [Double]) = ([], [])
        for round in 0..<rounds {
            let box = try seconds {
                let box = try rig.spawner.spawn(.worker, version: Rig.version, limits: limits)
                var handle = pollfd(fd: box.processHandle, events: Int16(POLLIN), revents: 0)
                _ = poll(&handle, 1, 10_000)
                _ = try box.destroy()
            }
            let other = try seconds { try run(["/usr/bin/bwrap"] + peer + ["/usr/bin/true"]) }
            guard round >= rounds / 10 else { continue }
            boxes.append(box)
            peers.append(other)
        }
        let ratio = median(boxes) / median(peers)
        print(
            "C3   box from nothing, exec of true, torn down: \(spread(boxes)); bwrap \(spread(peers)); ratio \(twoDigits(ratio)) (goal 1.0, groups made on the path)"
        )
        print("     bwrap \(peer.joined(separator: " ")) true")
    }

    /// C7: from the order to end a box until its last process is gone.
    private static func ends(_ programs: String) throws {
        let spin = "import sys; print('up', flush=True)\nwhile True: pass"
        let bomb = "import os\nprint('up', flush=True)\nwhile True:\n    try: os.fork()\n    except OSError: pass"
        for (name, code, goal) in [("spinning", spin, 50), ("fork-bombing (64)", bomb, 100)] {
            let rig = try Rig(programs, ["/usr/bin/python3", "-I", "-S", "-c", code])
            defer { rig.end() }
            var durations: [Double] = []
            for _ in 0..<200 {
                let box = try rig.spawner.spawn(.worker, version: Rig.version, limits: limits)
                var output = pollfd(fd: box.standardOutput, events: Int16(POLLIN), revents: 0)
                _ = poll(&output, 1, 10_000)
                usleep(20_000)
                let began = ContinuousClock.now
                box.kill()
                _ = try box.destroy()
                durations.append(began.duration(to: .now) / .seconds(1))
            }
            print("C7   kill to gone, \(name): \(spread(durations)) (goal \(goal) ms at p99)")
        }
    }

    private static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let began = ContinuousClock.now
        try work()
        return began.duration(to: .now) / .seconds(1)
    }

    /// posix_spawn(3), which costs the same whatever the memory of this process is.
    private static func run(_ words: [String]) throws {
        let copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        var (pid, status) = (pid_t(), CInt())
        guard posix_spawn(&pid, words[0], nil, nil, copies, environ) == 0, waitpid(pid, &status, 0) == pid, status == 0
        else {
            throw Failure(message: "\(words[0]) failed; is bubblewrap installed?")
        }
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func spread(_ seconds: [Double]) -> String {
        let sorted = seconds.sorted()
        return "p50 \(twoDigits(median(sorted) * 1e3)) ms, p99 \(twoDigits(sorted[sorted.count * 99 / 100] * 1e3)) ms"
    }

    private static func twoDigits(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}

struct Failure: Error, CustomStringConvertible {
    var message: String
    var description: String { message }
}
