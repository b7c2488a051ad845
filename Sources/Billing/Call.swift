/// What the ledger must know to admit a call.
public struct CallDescription: Sendable {
    /// The call's name.
    public let invocation: InvocationID
    /// The account that pays.
    public var account: String { scopes.account }
    /// The API key used, or any stable name for a call without one.
    public var keyID: String { scopes.keyID }
    /// `OWNER/NAME`.
    public var algorithm: String { scopes.algorithm }
    /// The catalog's number of the algorithm's version; royalties are looked up by it.
    public let versionID: Int64
    /// The version in the form users see, for example `"1.0.2"`.
    public let version: String
    /// How many CPUs the call may use.
    public let cpus: Int
    /// The longest the call may run.
    public let wallLimit: Duration
    /// When the caller stops waiting; admission never waits past it.
    public let deadline: ContinuousClock.Instant
    /// The call that this one repeats for nothing, because its answer was too large to keep.
    public let replayOf: InvocationID?
    let scopes: CallScopes

    /// Describes a call.
    ///
    /// - Parameters:
    ///   - invocation: the call's name.
    ///   - scopes: who calls which algorithm with which key; made once for many calls.
    ///   - versionID: the catalog's number of the version.
    ///   - version: the version in the form users see.
    ///   - cpus: how many CPUs the call may use, at least 1.
    ///   - wallLimit: the longest the call may run.
    ///   - deadline: when the caller stops waiting.
    ///   - replayOf: the call that this one repeats for nothing; see ``KeyClaim/replayOf``.
    public init(
        invocation: InvocationID,
        scopes: CallScopes,
        versionID: Int64,
        version: String,
        cpus: Int,
        wallLimit: Duration,
        deadline: ContinuousClock.Instant,
        replayOf: InvocationID? = nil
    ) {
        self.invocation = invocation
        self.scopes = scopes
        self.versionID = versionID
        self.version = version
        self.cpus = cpus
        self.wallLimit = wallLimit
        self.deadline = deadline
        self.replayOf = replayOf
    }

    /// Describes a call of somebody's who has not been seen before.
    public init(
        invocation: InvocationID,
        account: String,
        keyID: String,
        algorithm: String,
        versionID: Int64,
        version: String,
        cpus: Int,
        wallLimit: Duration,
        deadline: ContinuousClock.Instant,
        replayOf: InvocationID? = nil
    ) {
        self.init(
            invocation: invocation,
            scopes: CallScopes(account: account, keyID: keyID, algorithm: algorithm),
            versionID: versionID,
            version: version,
            cpus: cpus,
            wallLimit: wallLimit,
            deadline: deadline,
            replayOf: replayOf
        )
    }
}

/// What was measured of one finished call; stored raw, for ever.
public struct UsageRecord: Sendable {
    /// How it ended.
    public var outcome: Outcome
    /// When it started to run, in microseconds of Unix time.
    public var startMicroseconds: Int64
    /// Time run, without waiting and loading; the part beyond the hold's grant is the platform's.
    public var wall: Duration
    /// CPU time used by all processes of the call.
    public var cpu: Duration
    /// Time waited before a worker was free.
    public var queue: Duration
    /// Time spent loading the code; not charged.
    public var load: Duration
    /// CPU time of that; counts against the author's allowance, or, when the call fails, also the caller's.
    public var loadCPU: Duration
    /// Whether a loaded worker was reused.
    public var warm: Bool
    /// The memory limit of the worker.
    public var memoryLimitBytes: Int64
    /// The most memory used; recorded, never priced.
    public var memoryPeakBytes: Int64
    /// Size of the input.
    public var bytesIn: Int64
    /// Size of the output.
    public var bytesOut: Int64

    /// Records a finished call.
    ///
    /// - Parameters:
    ///   - outcome: how it ended.
    ///   - startMicroseconds: when it started to run, in microseconds of Unix time.
    ///   - wall: time run.
    ///   - cpu: CPU time used.
    ///   - queue: time waited.
    ///   - load: time spent loading.
    ///   - loadCPU: CPU time of that.
    ///   - warm: whether a loaded worker was reused.
    ///   - memoryLimitBytes: the memory limit.
    ///   - memoryPeakBytes: the most memory used.
    ///   - bytesIn: size of the input.
    ///   - bytesOut: size of the output.
    public init(
        outcome: Outcome,
        startMicroseconds: Int64,
        wall: Duration,
        cpu: Duration,
        queue: Duration = .zero,
        load: Duration = .zero,
        loadCPU: Duration = .zero,
        warm: Bool = false,
        memoryLimitBytes: Int64 = 0,
        memoryPeakBytes: Int64 = 0,
        bytesIn: Int64 = 0,
        bytesOut: Int64 = 0
    ) {
        self.outcome = outcome
        self.startMicroseconds = startMicroseconds
        self.wall = wall
        self.cpu = cpu
        self.queue = queue
        self.load = load
        self.loadCPU = loadCPU
        self.warm = warm
        self.memoryLimitBytes = memoryLimitBytes
        self.memoryPeakBytes = memoryPeakBytes
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
    }
}
