/// How a box ended and what it used, in the kernel's words.
public struct Death: Sendable, Equatable {
    /// How the box's first process ended.
    public enum Cause: Sendable, Equatable {
        case exited(code: Int32)
        case signaled(Int32)
        /// The box could not be ended within the spawner's patience, or had no process.
        case unknown
    }

    /// The end of the first process.
    public var cause: Cause
    /// CPU time of all its processes since the box began; microseconds, from the control group.
    public var cpuMicros: UInt64
    /// The most memory it held; bytes.
    ///
    /// For people: page cache counts for whoever touched it first.
    public var memoryPeakBytes: UInt64
    /// Processes the kernel killed because the memory limit was reached.
    public var oomKills: UInt64
    /// Forks the kernel refused because the pids limit was reached.
    public var pidsRefused: UInt64
}
