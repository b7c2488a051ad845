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
            if callers[name] == nil { _ = try open(name, .caller, actor: "daemon") }
            return .success(.done)
        case .topUp(let topUp): return try record(topUp)
        case .grant(let grant): return try record(grant)
        case .adjust(let order): return try record(order)
        case .refund(let order): return try record(order)
        case .change(let order): return try record(order)
        case .tick:
            try forgetKeys(atMost: 1000)
            return .success(.done)
        case .hold(let held):
            do throws(SQLiteError) { try open(held) } catch {
                guard error.isUniqueViolation else { throw error }
                let detail = "invocation \(held.pending.call.invocation) has a hold already"
                return .failure(LedgerError(.conflict, detail))
            }
            return .success(.done)
        case .void(let invocation):
            try close(invocation, posted: false)
            return .success(.done)
        case .setRoyalty(let order): return try record(order)
        case .settle(let settlement):
            changes.closedHolds.append(settlement.held.number)
            return try record(settlement)
        case .quota(let order): return try record(order)
        }
    }

    private func record(_ topUp: TopUp) throws(SQLiteError) -> Result<Answer, LedgerError> {
        guard let account = callers[topUp.account] else {
            return .failure(LedgerError(.accountUnknown, topUp.account))
        }
        if let known = try find(reference: topUp.ref) {
            let isSame =
                known.code == TransferCode.topUp.rawValue && known.credit == account.id && known.amount == topUp.amount
            return isSame ? .success(.done) : .failure(.reference(topUp.ref, names: known))
        }
        if let refusal = objection(toPaying: account) { return .failure(refusal) }
        let cashIn = platform(.cashIn)
        guard cashIn.debits <= Self.grossMax - topUp.amount else { return .failure(.gross("top-ups")) }
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

    /// A transfer that is on record.
    struct KnownTransfer {
        var id: Int64 = 0
        let debit: Int64
        let credit: Int64
        let amount: Int64
        let code: Int64
    }

    func find(reference: String) throws(SQLiteError) -> KnownTransfer? {
        try statements.findReference.bind(1, Array(reference.utf8))
        guard try statements.findReference.step() else { return nil }
        defer { statements.findReference.reset() }
        return KnownTransfer(
            debit: statements.findReference.int64(0),
            credit: statements.findReference.int64(1),
            amount: statements.findReference.int64(2),
            code: statements.findReference.int64(3)
        )
    }

    private func record(_ order: RoyaltyOrder) throws(SQLiteError) -> Result<Answer, LedgerError> {
        if let known = royalties[order.versionID] {
            let author = accounts[Int(known.authorAccount)]?.owner
            if known.perCall == order.perCall, author == order.author { return .success(.done) }
            let detail =
                "version \(order.versionID) has \(known.perCall) microcredits for \(author ?? "nobody") for ever"
            return .failure(LedgerError(.conflict, detail))
        }
        let author: LedgerAccount
        if let known = authors[order.author] {
            author = known
        } else {
            author = try open(order.author, .authorPayable, actor: "daemon")
        }
        let terms = RoyaltyTerms(
            perCall: order.perCall,
            authorBasisPoints: 10_000 - prices.feeBasisPoints,
            authorAccount: author.id
        )
        royaltyRows.begin()
        royaltyRows.integer(order.versionID)
        royaltyRows.text(order.algorithm)
        royaltyRows.integer(author.id)
        royaltyRows.integer(terms.perCall)
        royaltyRows.integer(terms.authorBasisPoints)
        royaltyRows.integer(ledgerMicroseconds)
        royaltyRows.integer(block)
        _ = try royaltyRows.finish()
        royalties[order.versionID] = terms
        changes.royalties[order.versionID] = terms
        return .success(.done)
    }
}
