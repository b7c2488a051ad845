import SQLite

extension LedgerFile {
    typealias Answer = Operation.Answer

    /// Gross sums beyond this are refused, far before an `Int64` overflows: 2⁶² microcredits.
    static let grossMax: Int64 = 1 << 62

    /// Records one operation in the block being built.
    ///
    /// - Returns: the answer to give after the commit; an operation that is refused has written nothing.
    /// - Throws: `SQLiteError` when the file failed; the block is lost then.
    func record(_ action: Operation.Action) throws(SQLiteError) -> Result<Answer, LedgerError> {
        switch action {
        case .openAccount(let name):
            _ = try account(owner: name, kind: .caller, actor: "daemon")
            return .success(.done)
        case .topUp(let topUp): return try record(topUp)
        case .setRoyalty(let order): return try record(order)
        case .settle(let settlement):
            changes.closedHolds.append(settlement.held.number)
            return try record(settlement)
        case .setQuota(let scope, let metric, let limit, let actor):
            return .success(.quota(try setQuota(scope: scope, metric: metric, limit: limit, actor: actor)))
        case .unsetQuota(let scope, let metric, let actor):
            return .success(.removed(try unsetQuota(scope: scope, metric: metric, actor: actor)))
        }
    }

    private func record(_ topUp: TopUp) throws(SQLiteError) -> Result<Answer, LedgerError> {
        guard let account = accountIDs[AccountKey(owner: topUp.account, kind: .caller)] else {
            return .failure(LedgerError(.accountUnknown, topUp.account))
        }
        if let known = try find(reference: topUp.ref) {
            let isSame = known.credit == account && known.amount == topUp.amount
            if isSame { return .success(.done) }
            let detail = "reference \(topUp.ref) is a transfer of \(known.amount) microcredits to account number"
            return .failure(LedgerError(.conflict, "\(detail) \(known.credit)"))
        }
        guard let cashIn = accountIDs[AccountKey(owner: "", kind: .cashIn)], let bank = accounts[cashIn] else {
            return .failure(LedgerError(.notFound, "the cash-in account"))
        }
        guard bank.debits <= Self.grossMax - topUp.amount else {
            return .failure(LedgerError(.invalid, "all top-ups together would pass \(Self.grossMax) microcredits"))
        }
        try transfer(
            from: cashIn,
            to: account,
            amount: topUp.amount,
            code: .topUp,
            usage: nil,
            ref: topUp.ref,
            actor: topUp.actor
        )
        return .success(.done)
    }

    private func find(reference: String) throws(SQLiteError) -> (credit: Int64, amount: Int64)? {
        try statements.findReference.bind(1, Array(reference.utf8))
        guard try statements.findReference.step() else { return nil }
        let found = (credit: statements.findReference.int64(0), amount: statements.findReference.int64(1))
        statements.findReference.reset()
        return found
    }

    private func record(_ order: RoyaltyOrder) throws(SQLiteError) -> Result<Answer, LedgerError> {
        if let known = royalties[order.versionID] {
            let author = accounts[known.authorAccount]?.key.owner
            if known.perCall == order.perCall, author == order.author { return .success(.done) }
            let detail =
                "version \(order.versionID) has \(known.perCall) microcredits for \(author ?? "nobody") for ever"
            return .failure(LedgerError(.conflict, detail))
        }
        let author = try account(owner: order.author, kind: .authorPayable, actor: "daemon")
        let terms = RoyaltyTerms(
            perCall: order.perCall,
            authorBasisPoints: 10_000 - prices.feeBasisPoints,
            authorAccount: author
        )
        _ = try royaltyRows.append([
            .integer(order.versionID), .text(order.algorithm), .integer(author), .integer(terms.perCall),
            .integer(terms.authorBasisPoints), .integer(ledgerMicroseconds), .integer(block),
        ])
        royalties[order.versionID] = terms
        changes.royalties[order.versionID] = terms
        return .success(.done)
    }
}
