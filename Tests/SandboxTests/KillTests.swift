import Foundation
import Glibc
import Testing

@testable import Sandbox

extension RealBoxes {
    /// From the order to end a box until nothing of it is left, whatever its processes do.
    @Suite(.serialized, .timeLimit(.minutes(3))) struct KillTests {
        /// Makes boxes that run one mode of the program, waits until each says so, ends it; the durations, shortest first.
        private func kill(_ mode: LayerAttack, times: Int, pids: UInt32 = 16, freezes: Bool = false) throws
            -> [Duration]
        {
            let live = try LiveSpawner(uidBase: 3_300_000) { profile in
                profile.arguments = ["/usr/bin/python3", "-I", "-S", "/fn/code/attack.py", mode.rawValue]
            }
            var limits = LiveSpawner.limits
            limits.pids = pids
            let clock = ContinuousClock()
            var durations: [Duration] = []
            for _ in 0..<times {
                let box = try live.spawner.spawn(.worker, version: LiveSpawner.version, limits: limits)
                var output = pollfd(fd: box.standardOutput, events: Int16(POLLIN), revents: 0)
                try #require(poll(&output, 1, 10_000) == 1)
                if freezes { _ = box.freeze() }
                let began = clock.now
                box.kill()
                _ = try box.destroy()
                durations.append(clock.now - began)
            }
            live.spawner.shutDown()
            return durations.sorted()
        }

        private func report(_ name: String, _ durations: [Duration]) -> Duration {
            let (median, p99) = (durations[durations.count / 2], durations[durations.count * 99 / 100])
            print("ending a \(name) box: median \(median), p99 \(p99), most \(durations[durations.count - 1])")
            return p99
        }

        @Test(
            arguments: [
                (LayerAttack.spin, "spinning", false), (.stop, "stopped", false), (.spin, "frozen", true),
            ]
        )
        func `a box is gone 50 ms after the order, whatever it does`(mode: LayerAttack, name: String, freezes: Bool)
            throws
        {
            let p99 = report(name, try kill(mode, times: 170, freezes: freezes))
            #expect(p99 <= .milliseconds(50))
        }

        @Test func `a fork bomb of 64 is gone 100 ms after the order`() throws {
            let p99 = report("fork-bombing", try kill(.bomb, times: 100, pids: 64))
            #expect(p99 <= .milliseconds(100))
        }
    }
}
