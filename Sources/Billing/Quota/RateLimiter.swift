/// A rate limit by the generic cell rate algorithm: one number of state, exact, no timer.
///
/// The same decisions as a token bucket that holds `limit` tokens and gains `limit` per second.
struct RateLimiter: Sendable {
    /// Calls per second, and the burst.
    let limit: Int64
    /// Nanoseconds one call costs.
    let interval: Int64
    /// When the bucket would be full again, on the monotonic clock.
    private(set) var fullAt: Int64 = .min

    /// The largest limit that keeps a call's cost a whole number of nanoseconds of some use.
    static let limitMax: Int64 = 1_000_000

    init(limit: Int64) {
        self.limit = min(limit, Self.limitMax)
        interval = self.limit > 0 ? 1_000_000_000 / self.limit : 0
    }

    /// How long a call arriving now would have to wait.
    ///
    /// - Parameter now: nanoseconds on the monotonic clock.
    /// - Returns: 0 when it may pass; nil when no call ever may.
    func wait(at now: Int64) -> Int64? {
        guard limit > 0 else { return nil }
        return max(0, max(fullAt, now) + interval - now - interval * limit)
    }

    /// Lets one call pass; only after ``wait(at:)`` has given 0 for the same moment.
    mutating func take(at now: Int64) {
        fullAt = max(fullAt, now) + interval
    }

    /// Calls of the burst that are used up at a moment.
    func used(at now: Int64) -> Int64 {
        guard interval > 0, fullAt > now else { return 0 }
        return min(limit, (fullAt - now + interval - 1) / interval)
    }
}
