import SQLite

extension LedgerFile {
    /// Gives a caller credit with a priority and an end of its own.
    func record(_ grant: Grant) throws(SQLiteError) -> Result<Answer, LedgerError> {
        guard let account = callers[grant.account] else { return .failure(LedgerError(.accountUnknown, grant.account)) }
        if let known = try find(reference: grant.ref) {
            let lot = accounts[Int(known.credit)] ?? nil
            let isSame = known.code == TransferCode.grant.rawValue && lot?.payer === account
            guard isSame, known.amount == grant.amount, lot?.expires == grant.expires else {
                return .failure(.reference(grant.ref, names: known))
            }
            return .success(.done)
        }
        if let refusal = objection(toPaying: account) { return .failure(refusal) }
        guard (grant.expires ?? .max) > ledgerMicroseconds else {
            return .failure(
                LedgerError(.invalid, "expires lies in the past: \(iso8601(microseconds: grant.expires ?? 0))")
            )
        }
        let source = platform(.promoFunding)
        guard source.debits <= Self.grossMax - grant.amount else { return .failure(.gross("grants")) }
        let lot = try open(
            grant.account,
            .lot,
            payer: account,
            priority: grant.priority,
            expires: grant.expires,
            actor: grant.actor
        )
        try transfer(
            from: source,
            to: lot,
            amount: grant.amount,
            code: .grant,
            usage: nil,
            ref: grant.ref,
            actor: grant.actor
        )
        return .success(.done)
    }

    /// Moves what is left of grants that have ended, as far as no running call holds it.
    func expireLots() throws(SQLiteError) {
        guard ledgerMicroseconds >= nextExpiry else { return }
        nextExpiry = .max
        for account in callers.values {
            for lot in account.lots where lot.balance > 0 {
                guard let expires = lot.expires else { continue }
                if expires <= ledgerMicroseconds {
                    let amount = takeBack(account.owner, lot.balance, ledgerMicroseconds)
                    if amount > 0 {
                        try transfer(
                            from: lot,
                            to: platform(.breakage),
                            amount: amount,
                            code: .expiry,
                            usage: nil,
                            actor: "daemon"
                        )
                        lot.uncharged += amount
                    }
                }
                if lot.balance > 0 { nextExpiry = min(nextExpiry, max(expires, ledgerMicroseconds + 1_000_000)) }
            }
        }
    }

    /// Takes an amount from a caller: from its grants in their order, then from the account itself.
    func draw(
        _ amount: Int64,
        from payer: LedgerAccount,
        to other: LedgerAccount,
        code: TransferCode,
        usage: Int64?,
        ref: String? = nil,
        actor: String = ""
    ) throws(SQLiteError) {
        var left = amount
        var ref = ref
        for source in payer.lots + [payer] where left > 0 {
            let part = source === payer ? left : min(left, source.balance)
            guard part > 0 else { continue }
            try transfer(from: source, to: other, amount: part, code: code, usage: usage, ref: ref, actor: actor)
            if usage == nil { source.uncharged += part }
            ref = nil
            left -= part
        }
    }

    /// Why an account takes no money.
    func objection(toPaying account: LedgerAccount) -> LedgerError? {
        guard account.flags.contains(.closed) else { return nil }
        return LedgerError(.invalid, "account \(account.owner) is closed and takes no credit")
    }
}

extension LedgerError {
    static func gross(_ what: String) -> LedgerError {
        LedgerError(.invalid, "all \(what) together would pass \(LedgerFile.grossMax) microcredits")
    }

    static func reference(_ ref: String, names known: LedgerFile.KnownTransfer) -> LedgerError {
        let words = "reference \(ref) is a transfer of \(known.amount) microcredits from account number"
        return LedgerError(.conflict, "\(words) \(known.debit) to \(known.credit)")
    }
}
