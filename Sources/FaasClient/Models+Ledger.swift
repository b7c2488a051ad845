/// The last block of a ledger at some moment, signed.
public struct SignedHead: Decodable, Sendable {
    /// The block's number.
    public let block: Int64
    /// Its hash, in hexadecimal digits.
    public let hash: String
    /// Its time.
    public let time: String
    /// The key that signed.
    public let publicKey: String?
}

/// A copy of the ledger that was made.
public struct LedgerBackup: Decodable, Sendable {
    /// The file, on the daemon's machine.
    public let path: String
    /// Its size.
    public let bytes: Int64
    /// The last block in it.
    public let head: SignedHead?
}

/// What a backup is worth.
public struct RestoreReport: Decodable, Sendable {
    /// Whether it is clean and of this ledger.
    public let ok: Bool
    /// The last block in it.
    public let head: SignedHead?
    /// What was checked.
    public let checks: [AuditReport.Check]
    /// Where it differs from what it must be.
    public let violations: [AuditReport.Violation]
    /// What going back to it would lose.
    public let loss: Loss?

    /// What the ledger has that the backup has not.
    public struct Loss: Decodable, Sendable {
        /// Blocks.
        public let blocks: Int64
        /// Calls.
        public let usageRecords: Int64
        /// What they cost.
        public let chargedMicrocredits: Int64
        /// Payments.
        public let topUps: Int64
        /// What was paid in.
        public let topUpMicrocredits: Int64
    }
}

/// All about one call, every line calculated again.
public struct CallExplanation: Decodable, Sendable {
    /// The record.
    public let usage: UsageRecord
    /// The calculation.
    public let lines: [Line]
    /// Who got what.
    public let transfers: [Transfer]
    /// The block that holds it.
    public let block: Block?
    /// Where the records differ from what they must be.
    public let differences: [String]

    /// One step of the calculation.
    public struct Line: Decodable, Sendable {
        /// What it is.
        public let name: String
        /// How it was come by.
        public let how: String
        /// The value.
        public let value: String
        /// What it is counted in.
        public let unit: String
        /// What the record says.
        public let recorded: String?
    }

    /// One transfer.
    public struct Transfer: Decodable, Sendable {
        /// Its number.
        public let id: Int64
        /// Who paid.
        public let from: String
        /// Who got it.
        public let to: String
        /// How much.
        public let amountMicrocredits: Int64
        /// What it is for.
        public let code: String
    }

    /// The block.
    public struct Block: Decodable, Sendable {
        /// Its number.
        public let number: Int64
        /// Its hash.
        public let hash: String
        /// Its time.
        public let time: String
    }
}
