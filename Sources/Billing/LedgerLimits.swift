import Glibc

/// The bounds of everything the ledger keeps in memory, and the two clocks it reads.
public struct LedgerLimits: Sendable {
    /// Calls an account may run at once when no quota says otherwise.
    public var concurrentCallsDefault: Int64 = 80
    /// Calls of one account that may wait for admission.
    public var waitingCallsMax = 1000
    /// The longest a call waits for a free place among its account's concurrent calls.
    public var concurrencyWaitMax: Duration = .seconds(5)
    /// Admitted calls that are not settled, over all accounts; also bounds the writer's queue of settlements.
    public var holdsMax = 65_536
    /// Operations in the writer's queue from which on new calls and administrative changes are refused.
    public var writerQueueMax = 16_384
    /// Operations in one commit; so few that it takes some milliseconds.
    public var batchMax = 512
    /// How long an idempotency key is remembered.
    public var keyLifetime: Duration = .seconds(24 * 3600)
    /// The largest answer that is kept with its key; a call with a larger one is run again, once, for nothing.
    public var keptAnswerBytesMax = 1 << 20
    /// Answers that are kept for one account, and for all, until their keys are forgotten; what does not fit is treated
    /// like an answer that is too large.
    public var keptBytesAccountMax: Int64 = 64 << 20
    /// See ``keptBytesAccountMax``.
    public var keptBytesMax: Int64 = 1 << 30
    /// Worst cases of at least so much are held durably: the hold is on disk before the call starts.
    public var durableHoldMin = Microcredits(rawValue: 10_000_000_000)
    /// CPU time that nobody pays for, in a day, when no quota says otherwise: of an account, of an author's algorithms,
    /// and of one account's calls of one algorithm.
    public var unpaidCPUAccount: Duration = .seconds(60)
    /// See ``unpaidCPUAccount``.
    public var unpaidCPUAuthor: Duration = .seconds(600)
    /// See ``unpaidCPUAccount``.
    public var unpaidCPUPair: Duration = .seconds(60)
    /// Rows one usage listing returns at most.
    public var usageRowsMax = 1000
    /// Size of the ledger file in pages of 4 KiB; 0 leaves it to the file system.
    public var filePagesMax = 0

    /// The default bounds.
    public init() {}
}

/// Where the ledger takes the time from.
public struct LedgerClock: Sendable {
    /// Microseconds of Unix time, for records and calendar windows; may jump.
    public var unixMicroseconds: @Sendable () -> Int64
    /// Nanoseconds from any fixed moment, for rates; never goes back.
    public var monotonicNanoseconds: @Sendable () -> Int64

    /// Makes a clock.
    ///
    /// - Parameters:
    ///   - unixMicroseconds: microseconds of Unix time.
    ///   - monotonicNanoseconds: nanoseconds that never go back.
    public init(
        unixMicroseconds: @escaping @Sendable () -> Int64,
        monotonicNanoseconds: @escaping @Sendable () -> Int64
    ) {
        self.unixMicroseconds = unixMicroseconds
        self.monotonicNanoseconds = monotonicNanoseconds
    }

    /// The system's clocks.
    public static let system = LedgerClock(
        unixMicroseconds: { readClock(CLOCK_REALTIME) / 1000 },
        monotonicNanoseconds: { readClock(CLOCK_MONOTONIC) }
    )
}

private func readClock(_ clock: clockid_t) -> Int64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
