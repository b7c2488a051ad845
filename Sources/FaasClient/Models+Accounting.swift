/// A limit on what an account, a key or an algorithm may use.
public struct QuotaRecord: Decodable, Sendable {
    /// What it limits, for example `account:anna`.
    public let scope: String
    /// What it counts, for example `requests_per_second`.
    public let metric: String
    /// The most there may be; the metric names its unit.
    public let limit: Scalar
    /// Greater each time it is set.
    public let rev: Scalar?
}

/// A limit that was taken away.
public struct RemovedQuota: Decodable, Sendable {
    /// What it limited.
    public let scope: String
    /// What it counted.
    public let metric: String
    /// True.
    public let removed: Bool
}

/// Which limits hold for a caller, and which is the closest.
public struct QuotaExplanation: Decodable, Sendable {
    /// One row for each metric.
    public let results: [Row]

    /// The limits of one metric.
    public struct Row: Decodable, Sendable {
        /// What is counted.
        public let metric: String
        /// The limit that is reached first; nil when there is none.
        public let binding: Link?
        /// All limits that are looked at, in order.
        public let chain: [Link]
    }

    /// One limit and how much of it is used.
    public struct Link: Decodable, Sendable {
        /// What it limits.
        public let scope: String
        /// The most there may be.
        public let limit: Scalar?
        /// How much is used.
        public let used: Scalar?
        /// When it starts again.
        public let reset: Scalar?
    }
}

/// The record of one call.
public struct UsageRecord: Decodable, Sendable {
    /// Its name.
    public let id: Scalar
    /// Who paid.
    public let account: String
    /// `OWNER/NAME`.
    public let algorithm: String
    /// The version's number.
    public let version: String?
    /// How it ended.
    public let outcome: String
    /// Time from start to end, in microseconds.
    public let wallMicroseconds: Int64?
    /// Processor time, in microseconds.
    public let cpuMicroseconds: Int64?
    /// What the caller paid, in microcredits.
    public let amountMicrocredits: Int64?
    /// The owner's part of it, in microcredits.
    public let royaltyMicrocredits: Int64?
    /// When it started.
    public let start: Scalar?

    private enum CodingKeys: String, CodingKey {
        case id, account, algorithm, version, outcome, amountMicrocredits, royaltyMicrocredits, start
        case wallMicroseconds = "wallUs"
        case cpuMicroseconds = "cpuUs"
    }
}

/// What an audit of the ledger found.
public struct AuditReport: Decodable, Sendable {
    /// Whether every check held.
    public let ok: Bool
    /// What was checked.
    public let checks: [Check]
    /// Where the ledger differs from what it must be.
    public let violations: [Violation]

    /// One rule of the ledger.
    public struct Check: Decodable, Sendable {
        /// The rule.
        public let name: String
        /// Whether it held.
        public let ok: Bool
        /// How many rows were looked at.
        public let examined: Int64?
    }

    /// One place where a rule does not hold.
    public struct Violation: Decodable, Sendable {
        /// The rule.
        public let check: String
        /// The rows and amounts.
        public let detail: String
    }
}
