/// An account; all amounts in microcredits.
public struct AccountRecord: Decodable, Sendable {
    /// Whose it is.
    public let account: String
    /// `open`, `frozen` or `closed`.
    public let state: String
    /// Greater with each change that an administrator makes of it.
    public let rev: Int64
    /// What new calls may hold.
    public let availableMicrocredits: Int64
    /// What is set aside for calls that are running.
    public let heldMicrocredits: Int64
    /// What was spent so far.
    public let spentMicrocredits: Int64
    /// Its credit without grants, below zero by what is owed.
    public let ownMicrocredits: Int64
    /// How far that may fall below zero.
    public let overdraftMicrocredits: Int64
    /// Calls that run now.
    public let running: Int64?
    /// When it was opened.
    public let created: Scalar?
    /// The grants that have something left; nil in lists.
    public let grants: [GrantRecord]?
}

/// Credit with a priority and an end of its own.
public struct GrantRecord: Decodable, Sendable {
    /// Its number.
    public let id: Scalar
    /// What it was called when it was given.
    public let ref: String
    /// Lower is used first.
    public let priority: Int64
    /// How much was given, in microcredits.
    public let givenMicrocredits: Int64
    /// How much is left, in microcredits.
    public let leftMicrocredits: Int64
    /// `usable`, `used` or `ended`.
    public let state: String
    /// When it ends; nil for never.
    public let expires: Scalar?
    /// When it was given.
    public let created: Scalar?
}

/// A grant that was given.
public struct Granted: Decodable, Sendable {
    /// To whom.
    public let account: String
    /// The grant as it is now.
    public let grant: GrantRecord?
    /// What the account can spend.
    public let balance: Balance
}

/// A charge that was given back.
public struct Refunded: Decodable, Sendable {
    /// The call.
    public let id: String
    /// Who had paid.
    public let account: String
    /// How much came back, in microcredits.
    public let refundedMicrocredits: Int64
    /// What the account can spend.
    public let balance: Balance
}

/// What an author has been paid, in microcredits.
public struct EarningsRecord: Decodable, Sendable {
    /// Whose they are.
    public let account: String
    /// The author's part of all royalties.
    public let royaltiesMicrocredits: Int64
    /// Given back of it with refunds.
    public let refundedMicrocredits: Int64
    /// What is left.
    public let earnedMicrocredits: Int64
}

/// A hold on disk that is open.
public struct HoldRecord: Decodable, Sendable {
    /// The call.
    public let invocation: String
    /// Who pays.
    public let account: String
    /// `OWNER/NAME`.
    public let algorithm: String
    /// The version's number.
    public let version: String?
    /// What is held, in microcredits.
    public let amountMicrocredits: Int64
    /// The longest the call may run, in microseconds.
    public let wallUs: Int64?
    /// How long it has been held, in seconds.
    public let ageSeconds: Int64
    /// Whether its call runs.
    public let running: Bool
}
