/// What a quota counts.
///
/// - Unit of the limit: calls per second, calls at once, microcredits, CPU seconds, as each case says.
/// - Shape: 0 … 2⁵³ − 1; 0 forbids.
public enum QuotaMetric: String, Sendable, CaseIterable, Codable {
    /// Calls arriving per second, with a burst of one second's worth (GCRA).
    case requestsPerSecond = "requests_per_second"
    /// Calls running at once; without a quota an account has ``LedgerLimits/concurrentCallsDefault``.
    case concurrentCalls = "concurrent_calls"
    /// Microcredits per day, UTC.
    case spendDay = "spend_day_microcredits"
    /// Microcredits per calendar month, UTC.
    case spendMonth = "spend_month_microcredits"
    /// CPU seconds per calendar month, UTC.
    case cpuSecondsMonth = "cpu_seconds_month"
    /// CPU seconds per day, UTC, that nobody pays for: of failed calls, and of loading. Without a quota
    /// ``LedgerLimits/unpaidCPUAccount`` and its like hold.
    case unpaidCPUDay = "unpaid_cpu_seconds_day"
    /// Workers of each version of one algorithm for one account's calls, at most; those that accounts share have no such bound.
    case workersMax = "workers_max"
    /// Workers that are kept loaded for one account's calls of one algorithm without a selector, however long nobody calls.
    case workersWarm = "workers_warm"
    /// Places for workers that are kept free for one account's calls of one algorithm without a selector.
    case workersReserved = "workers_reserved"

    /// Whether it is about workers, of which the ledger only keeps the numbers.
    public var isOfWorkers: Bool { self == .workersMax || self == .workersWarm || self == .workersReserved }

    /// What the limit is measured in, for messages.
    public var unit: String {
        switch self {
        case .requestsPerSecond: "calls per second"
        case .concurrentCalls: "calls at once"
        case .spendDay, .spendMonth: "microcredits"
        case .cpuSecondsMonth, .unpaidCPUDay: "CPU seconds"
        case .workersMax, .workersWarm, .workersReserved: "workers"
        }
    }

    /// The calendar window after which the count starts again; nil for what is no count over time.
    var window: CalendarWindow? {
        switch self {
        case .requestsPerSecond, .concurrentCalls, .workersMax, .workersWarm, .workersReserved: nil
        case .spendDay, .unpaidCPUDay: .day
        case .spendMonth, .cpuSecondsMonth: .month
        }
    }

    /// Counter units in one unit of the limit: CPU is counted in microseconds.
    var scale: Int64 { self == .cpuSecondsMonth || self == .unpaidCPUDay ? 1_000_000 : 1 }
}
