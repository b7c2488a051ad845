/// How often the workers of each key are wanted, what starting one costs, how long it is busy: what eviction and keeping
/// go by.
///
/// Averages that forget: each new figure counts an eighth.
struct PoolTraffic: Sendable {
    private struct Record: Sendable {
        var last: UInt64
        /// Seconds between calls; 0 before there were two.
        var gap = 0.0
        /// The longest of late, which forgets a tenth with each call.
        var longestGap = 0.0
        var calls = 0
        var busySeconds = 0.0
        /// The shortest of late, which grows by a hundredth with each call.
        var leastSeconds = 0.0
        var cpuSeconds = 0.0
        var startSeconds = 0.0
        var memoryBytes = 0.0
    }

    /// Keys that are remembered at most; the one that was wanted longest ago is forgotten first.
    static let keysMax = 20_000
    private var records: [PoolKey: Record] = [:]

    /// A call wants a worker.
    mutating func arrive(_ key: PoolKey, now: UInt64) {
        if records[key] == nil, records.count >= Self.keysMax { forgetHalf() }
        var record = records[key] ?? Record(last: now)
        if record.calls > 0 {
            let gap = Double(now - min(now, record.last)) / 1e9
            record.gap = record.calls == 1 ? gap : record.gap + (gap - record.gap) / 8
            record.longestGap = max(gap, record.longestGap * 0.9)
        }
        record.calls += 1
        record.last = max(now, record.last)
        records[key] = record
    }

    /// A worker was started, in so many seconds.
    mutating func started(_ key: PoolKey, seconds: Double) {
        guard let old = records[key]?.startSeconds else { return }
        records[key]?.startSeconds = old == 0 ? seconds : old + (seconds - old) / 8
    }

    /// A worker has served a call.
    mutating func served(_ key: PoolKey, _ service: PoolService) {
        guard var record = records.removeValue(forKey: key) else { return }
        let isFirst = record.busySeconds == 0
        record.busySeconds = isFirst ? service.seconds : record.busySeconds + (service.seconds - record.busySeconds) / 8
        record.cpuSeconds =
            isFirst ? service.cpuSeconds : record.cpuSeconds + (service.cpuSeconds - record.cpuSeconds) / 8
        record.leastSeconds = isFirst ? service.seconds : min(service.seconds, record.leastSeconds * 1.01)
        if service.memoryBytes > 0 { record.memoryBytes = Double(service.memoryBytes) }
        records[key] = record
    }

    /// Whether calls of a key are so short, and so much of them is computing, that two processors do not serve them
    /// sooner by more than two workers.
    func isShort(_ key: PoolKey) -> Bool {
        guard let record = records[key], record.busySeconds > 0 else { return false }
        return record.busySeconds < Self.shortSeconds && record.cpuSeconds > record.leastSeconds / 2
    }

    /// How many workers of such a key can be at work at once: each of its calls also keeps the daemon busy, and for a very
    /// short one that is the larger part.
    func workersAtOnce(_ key: PoolKey, processors: Int) -> Int {
        let seconds = records[key]?.cpuSeconds ?? 0
        return max(1, Int(min(1e6, (Double(processors) * seconds / (seconds + Self.daemonSeconds)).rounded())))
    }

    private static let shortSeconds = 0.002
    /// Processor time of the daemon's for a call.
    private static let daemonSeconds = 0.000_07

    /// Seconds a call of this key keeps a worker; nil when nothing is known.
    func busySeconds(_ key: PoolKey) -> Double? {
        records[key].flatMap { $0.busySeconds > 0 ? $0.busySeconds : nil }
    }

    /// What keeping a worker is worth: seconds of starting saved for a second and a byte.
    func value(_ key: PoolKey, now: UInt64) -> Double {
        guard let record = records[key] else { return 0 }
        let rest = Double(now - min(now, record.last)) / 1e9
        let rate = 1 / max(0.001, record.gap, rest)
        return max(0.000_1, record.startSeconds) * rate / max(1_048_576, record.memoryBytes)
    }

    /// How long an idle worker is kept: twice the longest pause of late, as long as there is one to go by.
    func keepNanoseconds(_ key: PoolKey, within range: ClosedRange<UInt64>) -> UInt64 {
        guard let record = records[key], record.calls > 2 else { return range.upperBound }
        let wanted = min(2 * record.longestGap * 1e9, Double(range.upperBound))
        return max(range.lowerBound, UInt64(wanted))
    }

    private mutating func forgetHalf() {
        let lasts = records.values.map(\.last).sorted()
        let middle = lasts[lasts.count / 2]
        records = records.filter { $0.value.last > middle }
    }
}
