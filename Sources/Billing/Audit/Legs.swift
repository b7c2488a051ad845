/// A usage record next to the transfers that name it.
struct Legs: Sendable {
    let usage: UsageRow
    let terms: Rater.Terms?
    /// Whether an account with the royalty's number exists; else any author's account will do, and the reference is at fault.
    let isAuthorKnown: Bool
    private(set) var compute: Int64 = 0
    private(set) var author: Int64 = 0
    private(set) var fee: Int64 = 0
    private(set) var amount: Int64 = 0
    /// Legs with another payer, time or block.
    private(set) var strangers: Int64 = 0

    init(_ usage: UsageRow, _ terms: Rater.Terms?, isAuthorKnown: Bool) {
        (self.usage, self.terms, self.isAuthorKnown) = (usage, terms, isAuthorKnown)
    }

    /// A record that had its legs when its block ended.
    init(complete usage: UsageRow, _ terms: Rater.Terms?, isAuthorKnown: Bool) {
        self.init(usage, terms, isAuthorKnown: isAuthorKnown)
        let parts = parts ?? (0, 0)
        (compute, author, fee) = (usage.compute, parts.author, parts.fee)
        amount = usage.compute &+ usage.royalty
    }

    /// Adds one leg.
    ///
    /// - Parameters:
    ///   - leg: a transfer that names the record.
    ///   - kind: the kind of the account it credits; nil when there is none.
    mutating func add(_ leg: TransferRow, creditedKind kind: Int64?) {
        amount &+= leg.amount
        switch (leg.code, kind) {
        case (TransferCode.compute.rawValue, AccountKind.computeRevenue.rawValue): compute &+= leg.amount
        case (TransferCode.royaltyAuthor.rawValue, AccountKind.authorPayable.rawValue):
            if !isAuthorKnown || leg.credit == terms?.authorAccount { author &+= leg.amount }
        case (TransferCode.royaltyPlatform.rawValue, AccountKind.platformFee.rawValue): fee &+= leg.amount
        default: break
        }
        if leg.payer != usage.payer || leg.time != usage.time || leg.block != usage.block { strangers += 1 }
    }

    /// The parts of the royalty; nil when they cannot be told.
    private var parts: (author: Int64, fee: Int64)? {
        guard usage.royalty != 0 else { return (0, 0) }
        guard let terms else { return usage.royalty < 0 ? nil : (0, usage.royalty) }
        if usage.royalty == terms.perCall { return terms.parts }
        let share = terms.authorBasisPoints
        guard usage.royalty > 0, (0...10_000).contains(share) else { return nil }
        let parts = split(usage.royalty, weights: [share, 10_000 - share])
        return (parts[0], parts[1])
    }

    /// Whether the legs are what the record says, no more and no less.
    var isRight: Bool {
        guard usage.compute >= 0, let parts else { return false }
        return compute == usage.compute && author == parts.author && fee == parts.fee
            && amount == usage.compute &+ usage.royalty && strangers == 0
    }

    var detail: String {
        let parts = usage.compute >= 0 ? parts : nil
        let due = [usage.compute, parts?.author ?? 0, parts?.fee ?? 0, usage.compute &+ usage.royalty]
        return "usage \(usage.sequence): compute, author, fee and all due \(due) microcredits, "
            + "moved \([compute, author, fee, amount]), legs with another payer, time or block \(strangers)"
    }
}
