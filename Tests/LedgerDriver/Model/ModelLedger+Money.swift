extension ModelLedger {
    /// Grants of an account in the order in which they are used.
    func places(_ account: String) -> [Int] {
        grants.indices.filter { grants[$0].account == account }
            .sorted { left, right in
                let keys = [left, right].map { (grants[$0].priority, grants[$0].expires ?? .max, $0) }
                return keys[0] < keys[1]
            }
    }

    /// All that an account may spend, whatever has ended and whatever is held.
    func everything(_ account: String) -> Int128 {
        guard let state = accounts[account] else { return 0 }
        return places(account).reduce(state.own + state.line) { $0 + grants[$1].left }
    }

    /// What calls may hold at a moment; what is held already is not taken off.
    func credit(_ account: String, at moment: Int64) -> Int128 {
        let time = max(moment, accounts[account]?.sweptMicroseconds ?? 0)
        return places(account).reduce(everything(account)) {
            guard let expires = grants[$1].expires, expires <= time else { return $0 }
            return $0 - grants[$1].left
        }
    }

    /// How much of an amount no running call holds.
    mutating func free(_ amount: Int128, of account: String) -> Int128 {
        let before = accounts[account]?.sweptMicroseconds ?? 0
        accounts[account]?.sweptMicroseconds = max(before, ledgerMicroseconds)
        return min(amount, max(0, everything(account) - heldMoney(account)))
    }

    /// What is left of grants that have ended goes, as far as no running call holds it.
    mutating func sweep() {
        guard ledgerMicroseconds >= sweepMicroseconds else { return }
        sweepMicroseconds = .max
        for account in Cast.accounts {
            for place in places(account) where grants[place].left > 0 {
                guard let expires = grants[place].expires else { continue }
                if expires <= ledgerMicroseconds {
                    let gone = free(grants[place].left, of: account)
                    grants[place].left -= gone
                    ended += gone
                    if gone > 0 { write() }
                }
                if grants[place].left > 0 {
                    sweepMicroseconds = min(sweepMicroseconds, max(expires, ledgerMicroseconds + 1_000_000))
                }
            }
        }
    }

    /// Takes an amount from an account: from its grants in their order, then from itself.
    mutating func draw(_ amount: Int128, from account: String) -> [(place: Int, amount: Int128)] {
        var left = amount
        var sources: [(place: Int, amount: Int128)] = []
        for place in places(account) where grants[place].left > 0 && left > 0 {
            let part = min(left, grants[place].left)
            grants[place].left -= part
            left -= part
            sources.append((place, part))
        }
        if left > 0 {
            accounts[account]?.own -= left
            sources.append((-1, left))
        }
        return sources
    }

    /// Money that comes in or is corrected, by a reference that counts once.
    mutating func pay(_ step: Step, now: Int64) -> String {
        let account = Cast.accounts[step.index(0, of: Cast.accounts.count)]
        let reference = Cast.references[step.index(1, of: Cast.references.count)]
        let amount = Int128(step[2])
        guard (1...(1 << 53) - 1).contains(step.kind == .adjust ? Int128(amount.magnitude) : amount) else {
            return "error invalid"
        }
        if step.kind == .adjust, accounts[account]?.state == "closed" { return "error invalid" }
        let expires = step.kind == .grant && step[4] != 0 ? now + Int64(step[4].magnitude) : nil
        block(now: now)
        guard let state = accounts[account] else { return "error accountUnknown" }
        let payment = Payment(kind: step.kind, account: account, amount: amount, expires: expires)
        if let known = payments[reference] { return known == payment ? "done" : "error conflict" }
        if state.state == "closed", amount > 0 { return "error invalid" }
        if let expires, expires <= ledgerMicroseconds { return "error invalid" }
        if amount < 0 {
            guard free(-amount, of: account) == -amount else { return "error invalid" }
            _ = draw(-amount, from: account)
        } else if step.kind == .grant {
            grants.append(Grant(account: account, priority: step[3], expires: expires, left: amount))
            if let expires { sweepMicroseconds = min(sweepMicroseconds, expires) }
        } else {
            accounts[account]?.own += amount
        }
        payments[reference] = payment
        write()
        return "done"
    }

    /// Every leg of a charge goes back to where it came from.
    mutating func refund(_ step: Step, now: Int64) -> String {
        guard invocations > 0 else { return "nothing" }
        let invocation = step.index(0, of: invocations)
        if let payer = charges.first(where: { $0.invocation == invocation })?.account,
            accounts[payer]?.state == "closed"
        {
            return "error invalid"
        }
        block(now: now)
        guard let place = charges.firstIndex(where: { $0.invocation == invocation }) else { return "error notFound" }
        let charge = charges[place]
        guard charge.amount > 0 else { return "error invalid" }
        guard !charge.isGivenBack else { return "error conflict" }
        charges[place].isGivenBack = true
        for source in charge.sources {
            guard source.place >= 0 else {
                accounts[charge.account]?.own += source.amount
                continue
            }
            grants[source.place].left += source.amount
            if let expires = grants[source.place].expires { sweepMicroseconds = min(sweepMicroseconds, expires) }
        }
        write()
        return "done"
    }

    /// Freezes, closes, or changes how far an account may fall below zero.
    mutating func change(_ step: Step, now: Int64) -> String {
        let account = Cast.accounts[step.index(0, of: Cast.accounts.count)]
        block(now: now)
        guard var state = accounts[account] else { return "error accountUnknown" }
        let before = (state.state, state.line)
        if state.state == "closed" { return "error invalid" }
        if step.kind == .line {
            let line = Int128(step[1].magnitude)
            guard state.own + line >= 0 else { return "error invalid" }
            if line < state.line {
                guard free(state.line - line, of: account) == state.line - line else { return "error invalid" }
                state.sweptMicroseconds = ledgerMicroseconds
            }
            state.line = line
        } else {
            let wanted = ["frozen", "open", "closed"][step.index(1, of: 3)]
            if wanted == "closed", everything(account) != state.line { return "error invalid" }
            state.state = wanted
        }
        guard before != (state.state, state.line) else { return "rev \(state.rev)" }
        state.rev += 1
        accounts[account] = state
        write()
        return "rev \(state.rev)"
    }
}
