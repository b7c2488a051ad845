/// How much of what a pool has, in all and for each.
struct PoolBounds: Sendable, Equatable {
    /// Workers in all, starting and sleeping ones included.
    var seatsMax: Int
    /// Workers of one key.
    var seatsPerKeyMax: Int
    /// Workers of one account, all its versions together.
    var seatsPerAccountMax = Int.max
    /// Calls that wait, in all.
    var waitersMax: Int
    /// Calls of one version that wait.
    var waitersPerVersionMax = Int.max
    /// Calls of one account that wait.
    var waitersPerAccountMax = Int.max
    /// How long a call waits before a sleeping worker that others want as well must give way to it; nanoseconds.
    ///
    /// At once would be fairer still, and a machine that is full would do nothing but start workers.
    var patienceNanoseconds: UInt64 = 100_000_000
    /// Workers that are at work, from which on no further one is woken for calls too short to gain by it; .max for never.
    var processors = Int.max
    /// How long a call waits for a busy worker although another sleeps; nanoseconds.
    var holdNanoseconds: UInt64 = 2_000_000
    /// How long an idle worker is kept at least, and at most, by how often it is wanted; nanoseconds.
    var idleNanoseconds: ClosedRange<UInt64> = 60_000_000_000...900_000_000_000

    init(seatsMax: Int, seatsPerKeyMax: Int, waitersMax: Int) {
        precondition(
            seatsMax > 0 && seatsPerKeyMax > 0,
            "a pool needs room for one worker, got \(seatsMax) and \(seatsPerKeyMax)"
        )
        (self.seatsMax, self.seatsPerKeyMax, self.waitersMax) = (seatsMax, seatsPerKeyMax, waitersMax)
    }
}

/// What an administrator has set for the workers of one key.
struct PoolTerms: Sendable, Hashable {
    /// Workers at most; nil for the pool's own bound.
    var seatsMax: Int?
    /// Seats that nobody else may take, whether there are workers on them or not.
    var reserved = 0
    /// Workers that are kept however long nobody calls.
    var warm = 0

    /// Workers that give way to nobody.
    var kept: Int { max(reserved, warm) }
}

/// Which bound keeps a call from waiting.
struct PoolFullness: Error, Sendable, Equatable {
    enum Bound: Sendable, Equatable {
        case all, version, account
        /// It would be waiting when its time is over.
        case time
        /// An administrator has said that there are to be no workers for it.
        case forbidden
    }

    var bound: Bound
    /// The most there may be; of `time`, the seconds the call has left.
    var limit: Int
    /// What there is; of `time`, the seconds it would have to wait.
    var value: Int
    /// When a place may be free, by how long calls have taken of late; at least 1.
    var retryAfterSeconds: Int
}

/// What a worker's last call was: what is known of it without knowing what it was about.
struct PoolService: Sendable, Equatable {
    /// From its lease to its answer.
    var seconds = 0.0
    /// Of all its processes.
    var cpuSeconds = 0.0
    /// What the worker holds now; 0 when nobody looked.
    var memoryBytes: UInt64 = 0
}
