internal import Glibc

/// One absolute moment on the monotonic clock, by which everything of a call must be over.
public struct Deadline: Sendable, Comparable {
    /// Nanoseconds of `CLOCK_MONOTONIC`: clock_gettime(2).
    let nanoseconds: UInt64

    /// The moment this long from now.
    public init(after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let delta = max(0, seconds) * 1_000_000_000 + max(0, attoseconds) / 1_000_000_000
        nanoseconds = Self.now + UInt64(delta)
    }

    /// The present on the same clock; nanoseconds.
    static var now: UInt64 { clock_gettime_nsec() }

    /// Time left, never negative.
    public var remaining: Duration {
        let now = Self.now
        return .nanoseconds(nanoseconds > now ? Int64(nanoseconds - now) : 0)
    }

    /// Time left for poll(2), rounded up, 0 when it is over.
    var millisecondsLeft: CInt {
        let now = Self.now
        guard nanoseconds > now else { return 0 }
        return CInt(min((nanoseconds - now + 999_999) / 1_000_000, UInt64(CInt.max)))
    }

    /// Orders by moment.
    public static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }

    private static func clock_gettime_nsec() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
