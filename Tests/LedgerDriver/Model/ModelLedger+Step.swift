extension ModelLedger {
    /// Takes a step; the clock, and what only the real ledger does, are the runner's.
    ///
    /// - Returns: what the ledger must answer.
    mutating func take(_ step: Step, now: Int64) -> String {
        switch step.kind {
        case .open:
            let account = Cast.accounts[step.index(0, of: Cast.accounts.count)]
            guard accounts[account] == nil else { return "done" }
            block(now: now)
            accounts[account] = Account()
            write()
            return "done"
        case .topup, .grant, .adjust: return pay(step, now: now)
        case .refund: return refund(step, now: now)
        case .line, .change: return change(step, now: now)
        case .tick: return tick(now: now)
        case .royalty: return fixRoyalty(step, now: now)
        case .quota:
            let (scope, metric) = Cast.quota(step)
            // Unpaid CPU time is counted for accounts, pairs and authors.
            if metric == Cast.unpaid, scope.hasPrefix("key:") || scope.hasPrefix("algorithm:") {
                return "error invalid"
            }
            block(now: now)
            quotas[scope, default: [:]][metric] = Int128(step[2].magnitude)
            write()
            return "done"
        case .unquota:
            let (scope, metric) = Cast.quota(step)
            block(now: now)
            guard quotas[scope]?.removeValue(forKey: metric) != nil else { return "nothing" }
            write()
            return "done"
        case .admit:
            let slot = step.index(0, of: Cast.slots)
            return held[slot] == nil ? admit(step, slot: slot, now: now) : "taken"
        case .settle: return settle(step, now: now)
        case .release: return release(step.index(0, of: Cast.slots), now: now)
        case .reopen, .crash:
            start(prices: Cast.prices[step.index(0, of: Cast.prices.count)], now: now)
            return "open \(books.count)"
        case .clock, .month, .audit: return "done"
        }
    }

    private mutating func tick(now: Int64) -> String {
        block(now: now)
        keys = keys.filter { $0.value.expires >= ledgerMicroseconds }
        return "done"
    }

    private mutating func release(_ slot: Int, now: Int64) -> String {
        guard let call = held[slot] else { return "empty" }
        let isShared = held.contains { $0.key != slot && $0.value.invocation == call.invocation }
        if call.durable != nil, isShared { return "shared" }
        held[slot] = nil
        guard call.durable != nil else { return "released" }
        givenBack.insert(call.invocation)
        block(now: now)
        _ = tick(now: now)
        return "released"
    }

    private mutating func fixRoyalty(_ step: Step, now: Int64) -> String {
        let version = Cast.versions[step.index(0, of: Cast.versions.count)]
        let author = Cast.authors[step.index(1, of: Cast.authors.count)]
        let amount = Int128(step[2])
        guard (0...(1 << 53) - 1).contains(amount) else { return "error invalid" }
        let known = royalties[version]
        block(now: now)
        if let known { return known.author == author && known.perCall == amount ? "done" : "error conflict" }
        royalties[version] = Terms(author: author, perCall: amount, authorBasisPoints: 10_000 - Int128(book[3]))
        write()
        return "done"
    }

    private mutating func settle(_ step: Step, now: Int64) -> String {
        let slot = step.index(0, of: Cast.slots)
        guard let call = held[slot] else { return "empty" }
        block(now: now)
        held[slot] = nil
        guard !charges.contains(where: { $0.invocation == call.invocation }) else { return "error conflict" }
        var charge = bill(step, call)
        charge.sources = draw(charge.compute, from: call.account) + draw(share(charge).author, from: call.account)
        charge.sources += draw(share(charge).fee, from: call.account)
        charges.append(charge)
        if let key = call.key { keep(key, call, isTooLarge: step[4] > Cast.keptAnswerBytesMax) }
        write()
        return "charged \(charge.compute)+\(charge.royalty), remaining \(everything(call.account))"
    }

    /// Who pays what: nobody for a repetition, the allowance for input errors as long as it lasts.
    private func bill(_ step: Step, _ call: Held) -> Charge {
        let outcome = step.index(1, of: 18)
        let cpu = Int128(step[3].magnitude)
        let allowances = allowances(call.scopes)
        let mayAbsorb = allowances.allSatisfy { unpaid($0.scope, at: ledgerMicroseconds) + cpu <= $0.limit }
        let isAbsorbed = call.replays || outcome == 1 && mayAbsorb
        // ok, input error, the caller's timeout, canceled, the end of the money.
        let paysCompute = [0, 1, 6, 15, 16].contains(outcome) && !isAbsorbed
        let wall = min(Int128(step[2].magnitude), call.wall)
        return Charge(
            invocation: call.invocation,
            account: call.account,
            scopes: call.scopes,
            outcome: outcome,
            billedWall: paysCompute ? billed(wall, book) : 0,
            compute: paysCompute ? compute(wall, book) : 0,
            royalty: outcome == 0 && !isAbsorbed ? call.terms?.perCall ?? 0 : 0,
            cpu: outcome == 17 ? 0 : min(cpu, call.cpu),
            unpaid: paysCompute || outcome == 17 ? 0 : cpu,
            // A repetition is no fault of the algorithm's.
            unpaidScopes: call.replays ? [call.scopes[0]] : allowances.map(\.scope),
            moment: ledgerMicroseconds,
            priceVersion: books.count,
            terms: call.terms
        )
    }

    private mutating func keep(_ key: Key, _ call: Held, isTooLarge: Bool) {
        if call.replays {
            keys[key]?.isGone = true
            return
        }
        keys[key] = KeyRecord(
            invocation: call.invocation,
            request: call.request,
            expires: ledgerMicroseconds + ModelCalendar.day,
            isTooLarge: isTooLarge
        )
    }

    /// Where every account stands, and the limits that one kind of call would meet.
    func standing(account: String, key: String, version: Int64, now: Int64) -> String {
        let balances = Cast.accounts.map { account in
            guard accounts[account] != nil else { return "\(account) unknown" }
            let held = heldMoney(account)
            return "\(account) \(credit(account, at: now) - held)/\(held)/\(spent(account))"
        }
        let scopes = scopes(account: account, key: key, version: version)
        let moment = max(now, ledgerMicroseconds)
        var lines: [String] = []
        for metric in Cast.metrics {
            for scope in scopes {
                guard let limit = quotas[scope]?[metric] ?? standard(scope, metric, scopes) else { continue }
                lines.append("\(metric) \(scope) \(figures(metric, scope, limit: limit, moment: moment))")
            }
        }
        return (balances + ["\(held.count) held"] + lines).joined(separator: "; ")
    }

    /// What holds without a quota.
    private func standard(_ scope: String, _ metric: String, _ scopes: [String]) -> Int128? {
        if metric == "concurrent_calls" { return scope == scopes[0] ? 80 : nil }
        return metric == Cast.unpaid ? allowances(scopes).first { $0.scope == scope }.map { $0.limit / 1_000_000 } : nil
    }

    private func figures(_ metric: String, _ scope: String, limit: Int128, moment: Int64) -> String {
        guard let window = ModelCalendar.window(metric, at: moment) else { return "\(running(scope))/\(limit)" }
        let isUnpaid = metric == Cast.unpaid
        let isCPU = metric == "cpu_seconds_month" || isUnpaid
        let sum =
            isUnpaid ? unpaid(scope, at: moment) : used(scope, isCPU: isCPU, in: window) + held(scope, isCPU: isCPU)
        let used = isCPU ? sum / 1_000_000 + (sum % 1_000_000 == 0 ? 0 : 1) : sum
        return "\(used)/\(limit) until \(window.upperBound / 1_000_000)"
    }

    /// Every record, and what everybody has earned.
    var records: [String] {
        let lines = charges.map { charge in
            "\(charge.invocation) \(charge.account) \(charge.outcome) \(charge.billedWall) \(charge.compute)+\(charge.royalty)"
                + " at \(charge.priceVersion)"
        }
        let authors = Cast.authors.map { "\($0) earned \(earned(by: $0))" }
        let kept = charges.filter { !$0.isGivenBack }
        let fees = kept.reduce(Int128(0)) { $0 + share($1).fee }
        let compute = kept.reduce(Int128(0)) { $0 + $1.compute }
        let left = grants.map { "grant \($0.left)" }
        return lines + authors + ["fees \(fees)", "compute \(compute)", "ended \(ended)"] + left
    }
}
