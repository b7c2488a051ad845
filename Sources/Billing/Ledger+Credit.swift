import Synchronization

extension Ledger {
    /// Gives an account credit that has a priority and may end.
    ///
    /// Charges use grants by priority, then the one that ends first, then the oldest; the account's own credit comes last.
    /// What is left when a grant ends goes to the platform, except for what running calls hold of it.
    ///
    /// - Parameters:
    ///   - account: an open account.
    ///   - amount: 1 … 2⁵³ − 1 microcredits.
    ///   - priority: 0 … 99; lower is used first.
    ///   - expires: when it ends, in microseconds of Unix time; nil for never.
    ///   - ref: 1 to 255 bytes that name this grant; the same grant given twice is recorded once.
    ///   - actor: who did it, for the record.
    /// - Returns: the balance after the commit.
    /// - Throws: `LedgerError`: `.accountUnknown`, `.invalid`, or `.conflict` when the reference names something else.
    @discardableResult
    public func grant(
        account: String,
        amount: Microcredits,
        priority: Int64 = 10,
        expires: Int64?,
        ref: String,
        actor: String
    ) async throws(LedgerError) -> Balance {
        try check(amount: amount.rawValue, ref: ref)
        guard (0...99).contains(priority) else {
            throw LedgerError(BillingError("priority", "\(priority)", "0 to 99; lower is used first"))
        }
        let grant = Grant(
            account: account,
            amount: amount.rawValue,
            priority: priority,
            expires: expires,
            ref: ref,
            actor: String(actor.prefix(128))
        )
        do throws(LedgerError) { _ = try await administer(.grant(grant)) } catch {
            // The writer's word, with the moment: only it knows whether the grant was on record already.
            guard error.kind == .invalid, let expires, expires <= clock.unixMicroseconds() else { throw error }
            let rule = "a moment after now, \(iso8601(microseconds: clock.unixMicroseconds()))"
            throw LedgerError(BillingError("expires", iso8601(microseconds: expires), rule))
        }
        if let known = try self.grant(ref: ref)?.priority, known != priority {
            throw LedgerError(.conflict, "reference \(ref) is a grant of priority \(known), not \(priority)")
        }
        return try balance(of: account)
    }

    /// Corrects an account's credit by hand.
    ///
    /// - Parameters:
    ///   - account: an open account.
    ///   - amount: microcredits, not 0; less than 0 takes away what no running call holds, from grants first.
    ///   - reason: why, for the record.
    ///   - ref: 1 to 255 bytes that name this correction; the same one given twice is recorded once.
    ///   - actor: who did it, for the record.
    /// - Returns: the balance after the commit.
    /// - Throws: `LedgerError`: `.accountUnknown`, `.invalid` when there is less than is to be taken, or `.conflict`.
    @discardableResult
    public func adjust(
        account: String,
        amount: Int64,
        reason: String,
        ref: String,
        actor: String
    ) async throws(LedgerError) -> Balance {
        try check(amount: amount == .min ? amount : abs(amount), ref: ref)
        try checkNotClosed(account)
        let order = Adjustment(
            account: account,
            amount: amount,
            reason: String(reason.prefix(1024)),
            ref: ref,
            actor: String(actor.prefix(128))
        )
        _ = try await administer(.adjust(order))
        // Done, now or earlier under this reference; what was done is on record.
        if let known = try adjustment(ref: ref), known != amount {
            let words = "\(Microcredits(rawValue: known)) credits, not \(Microcredits(rawValue: amount))"
            throw LedgerError(.conflict, "reference \(ref) is a correction of \(words)")
        }
        return try balance(of: account)
    }

    /// Gives a charge back whole: every leg of it, from whoever got it to whatever it came from.
    ///
    /// A grant that has ended meanwhile ends again. Spend caps do not count less for it.
    ///
    /// - Parameters:
    ///   - invocation: the call.
    ///   - reason: why, for the record.
    ///   - actor: who did it, for the record.
    /// - Throws: `LedgerError`: `.notFound`, `.invalid` for a call that cost nothing or whose account is closed,
    ///   `.conflict` for one given back before.
    public func refund(_ invocation: InvocationID, reason: String, actor: String) async throws(LedgerError) {
        if let payer = try usage(id: invocation)?.account { try checkNotClosed(payer) }
        let order = Refund(
            invocation: invocation,
            reason: String(reason.prefix(1024)),
            actor: String(actor.prefix(128))
        )
        _ = try await administer(.refund(order))
    }

    /// Changes what an account may do.
    ///
    /// - Parameters:
    ///   - account: an open account.
    ///   - change: what changes.
    ///   - ifRev: the revision that the account must be at, so that two administrators do not overwrite each other; nil
    ///     for any.
    ///   - reason: why, for the record.
    ///   - actor: who did it, for the record.
    /// - Returns: the account's revision now.
    /// - Throws: `LedgerError`: `.accountUnknown`, `.invalid`, or `.conflict` with the revision it is at.
    @discardableResult
    public func change(
        _ account: String,
        _ change: AccountChange,
        ifRev: Int64? = nil,
        reason: String,
        actor: String
    ) async throws(LedgerError) -> Int64 {
        if case .overdraft(let amount) = change, !(0...Microcredits.maximum.rawValue).contains(amount) {
            throw LedgerError(
                BillingError("overdraft", "\(amount)", "0 to \(Microcredits.maximum.rawValue) microcredits")
            )
        }
        let order = AccountOrder(
            account: account,
            change: change,
            ifRev: ifRev,
            reason: String(reason.prefix(1024)),
            actor: String(actor.prefix(128))
        )
        guard case .account(let rev) = try await administer(.change(order)) else {
            throw LedgerError(.conflict, "the writer answered a change of an account with something else")
        }
        return rev
    }

    /// Does what is due by the clock while nobody calls: ends grants, forgets idempotency keys.
    ///
    /// Call it from time to time.
    ///
    /// - Throws: `LedgerError`.
    public func tick() async throws(LedgerError) { _ = try await administer(.tick) }

    /// Closing is for ever, so that what is seen here stays true.
    private func checkNotClosed(_ account: String) throws(LedgerError) {
        let isClosed = state.withLock { $0.accounts[account]?.flags.contains(.closed) == true }
        guard isClosed else { return }
        throw LedgerError(.invalid, "account \(account) is closed for ever: its credit stays 0")
    }

    func check(amount: Int64, ref: String) throws(LedgerError) {
        guard (1...Microcredits.maximum.rawValue).contains(amount) else {
            let words = Microcredits(rawValue: amount).description
            throw LedgerError(BillingError("amount", words, "more than 0 and at most \(Microcredits.maximum) credits"))
        }
        guard (1...255).contains(ref.utf8.count) else {
            throw LedgerError(BillingError("ref", ref, "1 to 255 bytes"))
        }
    }
}
