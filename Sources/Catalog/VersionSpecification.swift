/// What an author deploys, and the limits its calls will run under; bounds are in ``CatalogLimits``.
public struct VersionSpecification: Sendable, Hashable {
    /// The hash of the deployed source, 40 lower-case hexadecimal digits.
    public var hash: String
    /// Where the store keeps the built version, 64 lower-case hexadecimal digits.
    public var storeKey: String
    /// The runtime; `python3` is the only one.
    public var runtime = "python3"
    /// Whether anyone may call it.
    public var isPublic = false
    /// What its owner gets for a call, in microcredits.
    public var royaltyMicrocredits: Int64 = 0
    /// Memory of a worker, in bytes.
    public var memoryBytes = CatalogLimits.memoryBytesDefault
    /// Processors of a worker.
    public var cpus = CatalogLimits.cpusDefault
    /// Time of a call, in seconds.
    public var timeoutSeconds = CatalogLimits.timeoutSecondsDefault
    /// Which calls may share a worker.
    public var isolation = Isolation.caller
    /// How workers come to be.
    public var start = StartMode.fork
    /// Processes and threads of a worker.
    public var pidsMax = CatalogLimits.pidsMaxDefault
    /// Space in a worker's `/tmp`, in bytes.
    public var tmpBytes = CatalogLimits.tmpBytesDefault

    /// Describes a version with every limit at its default: private, free, isolated by caller, forked.
    ///
    /// - Parameters:
    ///   - hash: the hash of the deployed source, 40 lower-case hexadecimal digits.
    ///   - storeKey: where the store keeps the built version, 64 lower-case hexadecimal digits.
    public init(hash: String, storeKey: String) {
        self.hash = hash
        self.storeKey = storeKey
    }

    /// Checks every field against its bound, so that a bad deploy can be refused before its archive is read.
    ///
    /// - Throws: `CatalogError` with reason `.invalid` for the first field outside its bound, or a start that its
    ///   isolation excludes.
    public func validate() throws(CatalogError) {
        guard Grammar.isHexadecimal(hash, count: CatalogLimits.hashDigits) else {
            throw .invalid("hash", hash, limit: "\(CatalogLimits.hashDigits) lower-case hexadecimal digits")
        }
        guard Grammar.isHexadecimal(storeKey, count: CatalogLimits.storeKeyDigits) else {
            throw .invalid(
                "store_key",
                storeKey,
                limit: "\(CatalogLimits.storeKeyDigits) lower-case hexadecimal digits"
            )
        }
        guard runtime == "python3" else { throw .invalid("runtime", runtime, limit: "python3") }
        try check("royalty", royaltyMicrocredits, CatalogLimits.royaltyMicrocredits, unit: "microcredits")
        try check("memory", memoryBytes, CatalogLimits.memoryBytes, unit: "MiB", divisor: 1 << 20)
        try check("cpus", Int64(cpus), CatalogLimits.cpus, unit: "processors")
        try check("timeout", Int64(timeoutSeconds), CatalogLimits.timeoutSeconds, unit: "seconds")
        try check("pids", Int64(pidsMax), CatalogLimits.pidsMax, unit: "processes")
        try check("tmp", tmpBytes, CatalogLimits.tmpBytes, unit: "MiB", divisor: 1 << 20)
        guard isolation != .call || start != .template else {
            throw .invalid(
                "start",
                start.rawValue,
                limit: "fork or exec with isolation call: no two of its calls may share a process's memory"
            )
        }
    }

    private func check<Bound: BinaryInteger>(
        _ field: String,
        _ value: Int64,
        _ range: ClosedRange<Bound>,
        unit: String,
        divisor: Int64 = 1
    ) throws(CatalogError) {
        let lower = Int64(range.lowerBound)
        let upper = Int64(range.upperBound)
        guard lower...upper ~= value else {
            let whole = value.isMultiple(of: divisor)
            let shown = whole ? "\(value / divisor) \(unit)" : "\(value) bytes"
            throw .invalid(field, shown, limit: "\(lower / divisor)…\(upper / divisor) \(unit)")
        }
    }
}
