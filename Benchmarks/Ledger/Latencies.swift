import Synchronization

/// The durations of many operations, noted by many tasks.
final class Latencies: Sendable {
    private let noted: Mutex<[UInt32]>
    private let refused = Mutex(0)

    init(capacity: Int) {
        var array: [UInt32] = []
        array.reserveCapacity(capacity)
        noted = Mutex(array)
    }

    func note(_ duration: Duration) {
        let microseconds = UInt32(clamping: Int64(duration / .microseconds(1)))
        noted.withLock { $0.append(microseconds) }
    }

    /// Notes one that was refused because too many wait.
    func refuse() { refused.withLock { $0 += 1 } }

    /// Count, rate, quantiles in milliseconds, and the processor time each took.
    func summary(_ elapsed: Duration, cpu: Double, memory: Int) -> String {
        let sorted = noted.withLock { $0.sorted() }
        let seconds = elapsed / .seconds(1)
        func quantile(_ part: Double) -> String {
            "\(Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1000)"
        }
        let rate = Int(Double(sorted.count) / seconds)
        let cores = (cpu / seconds * 100).rounded() / 100
        let lost = refused.withLock { $0 }
        return "\(sorted.count) done, \(lost) refused, \(rate)/s, ms p50 \(quantile(0.5)) p99 \(quantile(0.99)) "
            + "p99.9 \(quantile(0.999)) most \(quantile(1)), \(cores) cores, "
            + "\((cpu * 1e7 / Double(sorted.count)).rounded() / 10) µs CPU each, \(memory) MiB"
    }
}
