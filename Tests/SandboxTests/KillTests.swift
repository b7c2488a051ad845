import Foundation
import Glibc
import Testing

@testable import Sandbox

extension RealBoxes {
    /// From the order to end a box until nothing of it is left, whatever its processes do.
    ///
    /// The medians are judged here, and that nothing stays. The tails (p99 at most 50 ms, 100 ms for fork bombs) are a
    /// matter of a quiet machine: they are judged with `FAASD_STRICT_TIMES=1`, as `make bench` does.
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

        private func judge(_ name: String, _ durations: [Duration], bound: Duration) {
            let (median, p99) = (durations[durations.count / 2], durations[durations.count * 99 / 100])
            print("ending a \(name) box: median \(median), p99 \(p99), most \(durations[durations.count - 1])")
            let isStrict = ProcessInfo.processInfo.environment["FAASD_STRICT_TIMES"] == "1"
            #expect((isStrict ? p99 : median) <= bound)
        }

        @Test(
            arguments: [
                (LayerAttack.spin, "spinning", false), (.stop, "stopped", false), (.spin, "frozen", true),
            ]
        )
        func `a box is gone 50 ms after the order, whatever it does`(mode: LayerAttack, name: String, freezes: Bool)
            throws
        {
            judge(name, try kill(mode, times: 170, freezes: freezes), bound: .milliseconds(50))
        }

        @Test func `a fork bomb of 64 is gone 100 ms after the order`() throws {
            judge("fork-bombing", try kill(.bomb, times: 100, pids: 64), bound: .milliseconds(100))
        }
    }
}
