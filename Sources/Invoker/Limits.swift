internal import Catalog
internal import NIOCore
internal import Sandbox

/// The bounds of one daemon that do not belong to a version or an account.
public struct Limits: Sendable, Equatable {
    /// Largest request body of a call; bytes.
    public var inputBytesMax = 10 << 20
    /// Largest result of a call; bytes, before base64.
    public var outputBytesMax = 15_000_000
    /// Standard output and error kept for one call; bytes together.
    ///
    /// What is over is read and dropped.
    public var logBytesMax = 1 << 20
    /// Largest uploaded archive; bytes.
    public var archiveBytesMax = 100 << 20
    /// Most files one version may consist of, installed packages included.
    public var versionFilesMax = 40_000
    /// Most bytes one version may consist of, installed packages included.
    public var versionBytesMax = 4 << 30
    /// Bytes of disk that deploys leave free for the databases, at most a tenth of the disk.
    public var diskReserveBytes = 1 << 30
    /// Builds at one time; the rest wait.
    public var buildsMax = 2
    /// Builds that may wait.
    public var buildsWaitingMax = 8
    /// Bytes of request bodies in memory at one time, all callers together.
    public var bodyBytesMax = 1 << 30
    /// Bytes of answers in memory at one time, all callers together; a running call takes those of the largest answer.
    ///
    /// One account may have half of them.
    public var answerBytesMax = 1 << 30
    /// How long a client may take for the next part of an answer.
    public var unreadMax: Duration = .seconds(30)
    /// Longest timeout a caller or a version may set.
    public var timeoutMax: Duration = .seconds(3_000)
    /// How long a worker may take to import the code and run `load()`.
    public var loadMax: Duration = .seconds(300)
    /// How long taking an archive apart may take.
    public var unpackMax: Duration = .seconds(120)
    /// How long installing packages may take.
    public var installMax: Duration = .seconds(900)
    /// Live workers in all, starting ones included.
    public var workersMax = 64
    /// Live workers of one version for one account.
    public var workersPerKeyMax = 16
    /// Live workers of one account, all its versions together, so that nobody can take every seat.
    public var workersPerAccountMax = 48
    /// Calls that may wait for a worker.
    public var waitersMax = 2_000
    /// Of them, those of one version; nil for half of them.
    public var waitersPerVersionMax: Int?
    /// Of them, those of one account; nil for half of them.
    public var waitersPerAccountMax: Int?
    /// Boxes that are made before anybody asks, of all limits together; 0 for none, and no zygote either.
    public var blanksMax = 16
    /// Distributions that zygotes load in advance for versions that have them, by normalised name.
    ///
    /// They are loaded outside of any box, so that only what the operator trusts may be among them.
    public var preload: Set<String> = ["numpy"]
    /// The limits of most versions, for which there are blanks from the start.
    var usualBox: BoxLimits { VersionSpecification(hash: "", storeKey: "").boxLimits }
    /// How long an idle worker is kept.
    public var idleMax: Duration = .seconds(900)

    /// The defaults.
    public init() {}

    /// The bounds of the pool.
    var pool: PoolBounds {
        var bounds = PoolBounds(seatsMax: workersMax, seatsPerKeyMax: workersPerKeyMax, waitersMax: waitersMax)
        bounds.seatsPerAccountMax = workersPerAccountMax
        // The other half is at work on what calls are before and after.
        bounds.processors = System.coreCount
        bounds.waitersPerVersionMax = waitersPerVersionMax ?? (waitersMax + 1) / 2
        bounds.waitersPerAccountMax = waitersPerAccountMax ?? (waitersMax + 1) / 2
        let longest = UInt64(idleMax.nanosecondsClamped)
        bounds.idleNanoseconds = min(60_000_000_000, longest)...longest
        return bounds
    }
}
