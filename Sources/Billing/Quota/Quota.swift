/// One quota that has been set.
public struct Quota: Sendable, Equatable, Codable {
    /// What it applies to, in canonical form.
    public let scope: String
    /// What it counts.
    public let metric: QuotaMetric
    /// The limit, in the metric's unit.
    public let limit: Int64
    /// Which record of the administrators' log set it: greater each time, also after it was removed in between.
    public let rev: Int64
}

/// Where one metric of a call stands.
public struct QuotaExplanation: Sendable, Equatable, Codable {
    /// One limit that applies.
    public struct Link: Sendable, Equatable, Codable {
        /// What the limit applies to.
        public let scope: String
        /// The limit, in the metric's unit.
        public let limit: Int64
        /// What is used of it, with what running calls hold; the same unit, rounded up.
        public let used: Int64
        /// When the count starts again, in seconds of Unix time; nil for what is no count over time.
        public let reset: Int64?
    }

    /// What is counted.
    public let metric: QuotaMetric
    /// The limit with the least left; nil when none is set.
    public let binding: Link?
    /// All limits that apply, in order of scope: account, key, algorithm, account and algorithm.
    public let chain: [Link]

    /// Writes `binding` as null when nothing binds, so that readers always find the key.
    ///
    /// - Parameter encoder: where to write.
    /// - Throws: what the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(metric, forKey: .metric)
        try container.encode(binding, forKey: .binding)
        try container.encode(chain, forKey: .chain)
    }

    private enum CodingKeys: String, CodingKey { case metric, binding, chain }
}
