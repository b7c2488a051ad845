/// All about one call: what was measured, what it cost and why, and who got it; every line calculated again.
public struct CallExplanation: Sendable, Equatable, Codable {
    /// One step of the calculation.
    public struct Line: Sendable, Equatable, Codable {
        /// What it is.
        public let name: String
        /// How it was come by, with the figures.
        public let how: String
        /// The value, a whole number; text, because a product of time and price may pass what a JSON number keeps.
        public let value: String
        /// What it is counted in.
        public let unit: String
        /// What the record says; nil for a step that is not recorded.
        public let recorded: String?
    }

    /// One transfer of money.
    public struct Transfer: Sendable, Equatable, Codable {
        /// Its number.
        public let id: Int64
        /// Who paid.
        public let from: String
        /// Who got it.
        public let to: String
        /// Microcredits.
        public let amount: Int64
        /// What it is for.
        public let code: String

        enum CodingKeys: String, CodingKey {
            case id, from, to, code
            case amount = "amount_microcredits"
        }
    }

    /// The block that holds the call's records.
    public struct Block: Sendable, Equatable, Codable {
        /// Its number.
        public let number: Int64
        /// Its hash, in hexadecimal digits.
        public let hash: String
        /// When it was recorded, ISO 8601 in UTC.
        public let time: String
    }

    /// What was measured, and who called what.
    public let usage: Usage
    /// The number of the usage record.
    public let sequence: Int64
    /// Which policy decided who pays for this outcome.
    public let policy: Int64
    /// Whether the caller pays for the time.
    public let callerPaysCompute: Bool
    /// Whether the caller pays the royalty.
    public let callerPaysRoyalty: Bool
    /// The calculation, line by line.
    public let lines: [Line]
    /// The transfers.
    public let transfers: [Transfer]
    /// The block.
    public let block: Block?
    /// Where the records differ from what they must be; none in a ledger that is right.
    public let differences: [String]

    enum CodingKeys: String, CodingKey {
        case usage, sequence, policy, lines, transfers, block, differences
        case callerPaysCompute = "caller_pays_compute"
        case callerPaysRoyalty = "caller_pays_royalty"
    }
}
