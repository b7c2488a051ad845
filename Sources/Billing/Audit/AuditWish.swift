/// What an audit is to look at.
public struct AuditWish: Sendable {
    /// The parts there are.
    public enum Scope: String, Sendable, CaseIterable {
        /// Every rule.
        case everything
        /// The chain of blocks alone.
        case chain
        /// The price of every usage record, calculated again.
        case rates
    }

    /// The part looked at.
    public var scope: Scope
    /// The first block whose rows are looked at; from 2 on, rules about sums of everything are left out.
    public var fromBlock: Int64
    /// Heads exported before, which must be in the chain.
    public var heads: [SignedHead]
    /// The key that must have signed them; nil believes each head's own.
    public var trustedKey: String?

    /// Asks for an audit.
    ///
    /// - Parameters:
    ///   - scope: the part looked at.
    ///   - fromBlock: the first block looked at, from 1 on.
    ///   - heads: exported before.
    ///   - trustedKey: who must have signed them.
    public init(
        _ scope: Scope = .everything,
        fromBlock: Int64 = 1,
        heads: [SignedHead] = [],
        trustedKey: String? = nil
    ) {
        (self.scope, self.fromBlock, self.heads, self.trustedKey) = (scope, fromBlock, heads, trustedKey)
    }
}
