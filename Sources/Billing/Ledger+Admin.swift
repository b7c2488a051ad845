import Synchronization

extension Ledger {
    /// Opens an account for prepaid credit; opening it again does nothing.
    ///
    /// - Parameter name: 1 to 128 bytes without spaces, control characters and `+`.
    /// - Throws: `LedgerError`.
    public func openAccount(_ name: String) async throws(LedgerError) {
        try checkAccountName(name)
        if state.withLock({ $0.accounts[name] != nil }) { return }
        _ = try await administer(.openAccount(name: name))
    }

    /// Pays credit in.
    ///
    /// - Parameters:
    ///   - account: an open account.
    ///   - amount: 1 … 2⁵³ − 1 microcredits.
    ///   - ref: 1 to 255 bytes that name this payment; the same payment given twice is recorded once.
    ///   - actor: who did it, for the record.
    /// - Returns: the balance after the commit.
    /// - Throws: `LedgerError`: `.accountUnknown`, `.invalid`, or `.conflict` when the reference names another payment.
    @discardableResult
    public func topUp(
        account: String,
        amount: Microcredits,
        ref: String,
        actor: String
    ) async throws(LedgerError) -> Balance {
        try check(amount: amount.rawValue, ref: ref)
        let topUp = TopUp(account: account, amount: amount.rawValue, ref: ref, actor: String(actor.prefix(128)))
        _ = try await administer(.topUp(topUp))
        return try balance(of: account)
    }

    /// Fixes the royalty of an algorithm's version, for ever; fixing it again to the same does nothing.
    ///
    /// The platform's share is that of today's price book, also for ever.
    ///
    /// - Parameters:
    ///   - versionID: the catalog's number of the version.
    ///   - algorithm: `OWNER/NAME`, for the record.
    ///   - author: the account name of who earns it.
    ///   - perCall: 0 … 2⁵³ − 1 microcredits for each successful call.
    /// - Throws: `LedgerError`: `.invalid`, or `.conflict` when the version has another royalty or author.
    public func setRoyalty(
        versionID: Int64,
        algorithm: String,
        author: String,
        perCall: Microcredits
    ) async throws(LedgerError) {
        try checkAccountName(author)
        guard (0...Microcredits.maximum.rawValue).contains(perCall.rawValue) else {
            throw LedgerError(BillingError("royalty", perCall.description, "0 to \(Microcredits.maximum) credits"))
        }
        let order = RoyaltyOrder(
            versionID: versionID,
            algorithm: algorithm,
            author: author,
            perCall: perCall.rawValue
        )
        _ = try await administer(.setRoyalty(order))
    }

    /// Where an account stands: exact as of the last commit, and its holds of this moment.
    ///
    /// - Parameter account: an open account.
    /// - Returns: what is available, held and spent.
    /// - Throws: `LedgerError` with kind `.accountUnknown`.
    public func balance(of account: String) throws(LedgerError) -> Balance {
        guard let found = state.withLock({ $0.accounts[account] }) else {
            throw LedgerError(.accountUnknown, account)
        }
        let now = clock.unixMicroseconds()
        return Balance(
            available: Microcredits(rawValue: found.limit(at: now) - found.debits - found.held),
            held: Microcredits(rawValue: found.held),
            spent: Microcredits(rawValue: found.debits - found.uncharged)
        )
    }

    /// How much is going on: admitted calls, waiting calls and operations in the writer's queue, for metrics.
    public var load: (admitted: Int, waiting: Int, queued: Int) {
        let (admitted, waiting) = state.withLock { ($0.holds.count, $0.lines.total) }
        return (admitted, waiting, writer.queue.count)
    }

    func administer(_ action: Operation.Action) async throws(LedgerError) -> Operation.Answer {
        let backlog = writer.queue.count
        guard backlog < limits.writerQueueMax else {
            throw LedgerError(.busy, "\(backlog) operations wait to be recorded, the most is \(limits.writerQueueMax)")
        }
        return try await perform(action).get()
    }
}
