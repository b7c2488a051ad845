import SQLite

extension LedgerFile {
    /// Opens an account that does not exist yet.
    func open(
        _ owner: String,
        _ kind: AccountKind,
        payer: LedgerAccount? = nil,
        priority: Int64 = 0,
        expires: Int64? = nil,
        actor: String
    ) throws(SQLiteError) -> LedgerAccount {
        try connection.run(
            "INSERT INTO account(owner, kind, parent, priority, expires_us, flags, created_us) VALUES (?,?,?,?,?,?,?)",
            .text(owner),
            .integer(kind.rawValue),
            Value(payer?.id),
            .integer(priority),
            Value(expires),
            .integer(kind.flags.rawValue),
            .integer(ledgerMicroseconds)
        )
        let id = connection.lastInsertRowID
        let account = LedgerAccount(id: id, owner: owner, kind: kind, priority: priority, expires: expires)
        add(account, payer: payer)
        note(account)
        let until = expires.map { " until \(iso8601(microseconds: $0))" } ?? ""
        let after = kind == .lot ? "lot \(id), priority \(priority)\(until)" : "\(kind)"
        try log(actor: actor, verb: "account open", subject: owner, before: nil, after: after)
        return account
    }

    /// Puts an account into the caches.
    func add(_ account: LedgerAccount, payer: LedgerAccount?) {
        let place = Int(account.id)
        while accounts.count <= place { accounts.append(nil) }
        accounts[place] = account
        switch account.kind {
        case .caller: callers[account.owner] = account
        case .authorPayable: authors[account.owner] = account
        case .lot:
            payer?.add(lot: account)
            if let expires = account.expires { nextExpiry = min(nextExpiry, expires) }
        default: platform[account.kind] = account
        }
    }

    /// Has admission learn of a change of a caller's account or one of its lots.
    func note(_ account: LedgerAccount) {
        let payer = account.payer ?? account
        if payer.kind == .caller { changes.accounts[payer.owner] = payer.state }
    }

    /// Changes what is true of a caller's account.
    func record(_ order: AccountOrder) throws(SQLiteError) -> Result<Answer, LedgerError> {
        guard let account = callers[order.account] else { return .failure(LedgerError(.accountUnknown, order.account)) }
        if let rev = order.ifRev, rev != account.rev {
            let detail = "account \(order.account) is at revision \(account.rev), not \(rev); look at it and try again"
            return .failure(LedgerError(.conflict, detail))
        }
        if let refusal = account.objection(to: order.change) { return .failure(refusal) }
        if case .overdraft(let line) = order.change, let refusal = lower(account, to: line) { return .failure(refusal) }
        let before = account.summary
        account.apply(order.change)
        guard account.summary != before else { return .success(.account(account.rev)) }
        account.rev += 1
        // With the balance as this block has moved it so far: the file's may not allow the new line.
        try connection.run(
            "UPDATE account SET flags = ?, overdraft = ?, rev = ?, debits = ?, credits = ?, uncharged = ? WHERE id = ?",
            .integer(account.flags.rawValue),
            .integer(account.overdraft),
            .integer(account.rev),
            .integer(account.debits),
            .integer(account.credits),
            .integer(account.uncharged),
            .integer(account.id)
        )
        try log(
            actor: order.actor,
            verb: "account \(order.change.verb)",
            subject: order.account,
            before: before,
            after: order.reason.isEmpty ? account.summary : "\(account.summary): \(order.reason)"
        )
        note(account)
        return .success(.account(account.rev))
    }

    /// Lets go of the part of a line that is to be taken away, as far as no running call holds it.
    private func lower(_ account: LedgerAccount, to line: Int64) -> LedgerError? {
        let less = account.overdraft - line
        guard less > 0 else { return nil }
        let free = takeBack(account.owner, less, ledgerMicroseconds)
        guard free < less else { return nil }
        note(account)
        let words = "account \(account.owner) has \(Microcredits(rawValue: free)) credits that no call holds"
        return LedgerError(.invalid, "\(words); its line cannot fall by \(Microcredits(rawValue: less)) now")
    }
}

extension LedgerAccount {
    /// What may be changed, in the words of the record.
    var summary: String {
        let state = flags.contains(.closed) ? "closed" : flags.contains(.frozen) ? "frozen" : "open"
        return "\(state), overdraft line \(Microcredits(rawValue: overdraft))"
    }

    func objection(to change: AccountChange) -> LedgerError? {
        if flags.contains(.closed) { return LedgerError(.invalid, "account \(owner) is closed for ever") }
        switch change {
        case .freeze, .unfreeze: return nil
        case .close:
            let left = lots.reduce(balance) { $0 + $1.balance }
            guard left != 0 else { return nil }
            let words = Microcredits(rawValue: left)
            return LedgerError(.invalid, "account \(owner) has \(words) credits; adjust them to 0, then close it")
        case .overdraft(let amount):
            guard balance + amount < 0 else { return nil }
            let words = "account \(owner) owes \(Microcredits(rawValue: -balance)) credits"
            return LedgerError(.invalid, "\(words); its line cannot be less than that")
        }
    }

    func apply(_ change: AccountChange) {
        switch change {
        case .freeze: flags.insert(.frozen)
        case .unfreeze: flags.remove(.frozen)
        case .close: flags.insert(.closed)
        case .overdraft(let amount): overdraft = amount
        }
    }
}
