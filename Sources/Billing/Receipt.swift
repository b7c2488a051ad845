/// What a settled call cost; it exists only when the charge is durable.
public struct Receipt: Sendable, Equatable {
    /// The call.
    public let invocation: InvocationID
    /// What the caller paid: compute and royalty.
    public let charge: Microcredits
    /// The royalty in it.
    public let royalty: Microcredits
    /// The compute in it.
    public let compute: Microcredits
    /// The account's credit after this charge, before the holds of other running calls.
    public let remaining: Microcredits
    /// The price book version that priced it.
    public let priceVersion: Int64
}

extension Receipt {
    /// The receipt of a call that was settled before, and what the account has now.
    public init(_ usage: Usage, invocation: InvocationID, remaining: Microcredits) {
        self.invocation = invocation
        charge = Microcredits(rawValue: usage.amountMicrocredits)
        royalty = Microcredits(rawValue: usage.royaltyMicrocredits)
        compute = Microcredits(rawValue: usage.computeMicrocredits)
        self.remaining = remaining
        priceVersion = usage.priceVersion
    }
}

/// An account's money, exact as of the last commit plus the holds of running calls.
public struct Balance: Sendable, Equatable, Codable {
    /// What new calls may hold.
    public let available: Microcredits
    /// Held for running calls.
    public let held: Microcredits
    /// Spent since the account was opened.
    public let spent: Microcredits
}
