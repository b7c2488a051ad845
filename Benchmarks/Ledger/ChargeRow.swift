import Billing
import Foundation
import Synchronization

/// Charges at a fixed rate, whatever the ledger does (open loop): from the moment a charge was due to its durable answer.
struct ChargeRow {
    enum Mode {
        /// A hold in memory, no key.
        case memory
        /// The same with an idempotency key and a kept answer of 100 bytes.
        case key
        /// A hold on disk before the charge: two operations.
        case durable
    }

    let mode: Mode

    func run(_ options: Options) async throws -> String {
        let bench = try await BenchLedger(in: options.folder, mode: mode)
        defer { bench.remove() }
        try await bench.warmUp()
        let count = options.rate * options.seconds
        let latencies = Latencies(capacity: count)
        let cpu = Resources.now
        let start = ContinuousClock.now
        await withDiscardingTaskGroup { group in
            var issued = 0
            while issued < count {
                let elapsed = ContinuousClock.now - start
                let due = min(count, Int(elapsed / .microseconds(1) * Double(options.rate) / 1e6))
                for number in issued..<max(due, issued) {
                    let time = start + .nanoseconds(Int64(number) * 1_000_000_000 / Int64(options.rate))
                    group.addTask { await bench.charge(number, due: time, latencies) }
                }
                issued = max(due, issued)
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
        let elapsed = ContinuousClock.now - start
        return latencies.summary(elapsed, cpu: Resources.now - cpu, memory: Resources.residentMiB)
    }
}

/// As many charges as so many tasks can make, one after another each (closed loop).
struct ClosedRow {
    func run(_ options: Options) async throws -> String {
        let bench = try await BenchLedger(in: options.folder, mode: .memory)
        defer { bench.remove() }
        try await bench.warmUp()
        let latencies = Latencies(capacity: 200_000 * options.seconds)
        let cpu = Resources.now
        let start = ContinuousClock.now
        let end = start + .seconds(options.seconds)
        await withDiscardingTaskGroup { group in
            for task in 0..<options.tasks {
                group.addTask {
                    var number = task
                    while case let now = ContinuousClock.now, now < end {
                        await bench.charge(number, due: now, latencies)
                        number += options.tasks
                    }
                }
            }
        }
        return latencies.summary(ContinuousClock.now - start, cpu: Resources.now - cpu, memory: Resources.residentMiB)
    }
}

/// CPU time and memory of this process.
enum Resources {
    static var now: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let (user, system) = (usage.ru_utime, usage.ru_stime)
        return Double(user.tv_sec + system.tv_sec) + Double(user.tv_usec + system.tv_usec) / 1e6
    }

    static var residentMiB: Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (pages.flatMap { Int($0[1]) } ?? 0) / 256
    }
}
