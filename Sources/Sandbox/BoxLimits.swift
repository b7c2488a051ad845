/// Hard limits of one box, enforced by the kernel.
public struct BoxLimits: Sendable, Hashable {
    /// Memory of all processes together, files in `/tmp` and `/dev/shm` included; bytes.
    public var memoryBytes: UInt64
    /// Thousandths of a CPU per second of wall time.
    public var cpuMillis: UInt32
    /// Processes and threads at one time.
    public var pids: UInt32
    /// Size of `/tmp`; bytes.
    ///
    /// At most seven eighths of the memory, see `effectiveTmpBytes`.
    public var tmpBytes: UInt64

    /// Collects the limits.
    public init(memoryBytes: UInt64, cpuMillis: UInt32, pids: UInt32, tmpBytes: UInt64) {
        self.memoryBytes = memoryBytes
        self.cpuMillis = cpuMillis
        self.pids = pids
        self.tmpBytes = tmpBytes
    }

    /// The size `/tmp` really gets: its files live in memory, so a larger one would end in a kill for memory before
    /// the writer could see "no space left".
    public var effectiveTmpBytes: UInt64 { min(tmpBytes, memoryBytes / 8 * 7) }
}
