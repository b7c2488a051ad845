extension ModelLedger {
    /// Takes a step; the clock, and what only the real ledger does, are the runner's.
    ///
    /// - Returns: what the ledger must answer.
    mutating func take(_ step: Step, now: Int64) -> String {
        switch step.kind {
        case .open:
            let account = Cast.accounts[step.index(0, of: Cast.accounts.count)]
            guard !accounts.contains(account) else { return "done" }
            accounts.append(account)
            block(now: now, isWritten: true)
            return "done"
        case .topup: return topUp(step, now: now)
        case .royalty: return fixRoyalty(step, now: now)
        case .quota:
            let (scope, metric) = quotaName(step)
            quotas[scope, default: [:]][metric] = Int128(step[2].magnitude)
            block(now: now, isWritten: true)
            return "done"
        case .unquota:
            let (scope, metric) = quotaName(step)
            let before = quotas[scope]?.removeValue(forKey: metric)
            block(now: now, isWritten: before != nil)
            return before == nil ? "nothing" : "done"
        case .admit:
            let slot = step.index(0, of: Cast.slots)
            return held[slot] == nil ? admit(step, slot: slot, now: now) : "taken"
        case .settle: return settle(step, now: now)
        case .release: return held.removeValue(forKey: step.index(0, of: Cast.slots)) == nil ? "empty" : "released"
        case .reopen, .crash:
            start(prices: Cast.prices[step.index(0, of: Cast.prices.count)], now: now)
            return "open \(books.count)"
        case .clock, .month, .audit: return "done"
        }
    }

    private func quotaName(_ step: Step) -> (scope: String, metric: String) {
        (Cast.scopes[step.index(0, of: Cast.scopes.count)], Cast.metrics[step.index(1, of: Cast.metrics.count)])
    }

    private mutating func topUp(_ step: Step, now: Int64) -> String {
        let account = Cast.accounts[step.index(0, of: Cast.accounts.count)]
        let reference = Cast.references[step.index(1, of: Cast.references.count)]
        let amount = Int128(step[2])
        guard (1...(1 << 53) - 1).contains(amount) else { return "error invalid" }
        let known = topUps[reference]
        let isNew = accounts.contains(account) && known == nil
        block(now: now, isWritten: isNew)
        guard accounts.contains(account) else { return "error accountUnknown" }
        if let known { return known.account == account && known.amount == amount ? "done" : "error conflict" }
        topUps[reference] = TopUp(account: account, amount: amount)
        return "done"
    }

    private mutating func fixRoyalty(_ step: Step, now: Int64) -> String {
        let version = Cast.versions[step.index(0, of: Cast.versions.count)]
        let author = Cast.authors[step.index(1, of: Cast.authors.count)]
        let amount = Int128(step[2])
        guard (0...(1 << 53) - 1).contains(amount) else { return "error invalid" }
        let known = royalties[version]
        block(now: now, isWritten: known == nil)
        if let known { return known.author == author && known.perCall == amount ? "done" : "error conflict" }
        royalties[version] = Terms(author: author, perCall: amount, authorBasisPoints: 10_000 - Int128(book[3]))
        return "done"
    }

    private mutating func settle(_ step: Step, now: Int64) -> String {
        guard let call = held.removeValue(forKey: step.index(0, of: Cast.slots)) else { return "empty" }
        let isKnown = charges.contains { $0.invocation == call.invocation }
        block(now: now, isWritten: !isKnown)
        guard !isKnown else { return "error conflict" }
        let outcome = step.index(1, of: 18)
        // ok, input error, the caller's timeout, canceled, the end of the money.
        let paysCompute = [0, 1, 6, 15, 16].contains(outcome)
        let wall = min(Int128(step[2].magnitude), call.wall)
        let charge = Charge(
            invocation: call.invocation,
            account: call.account,
            scopes: call.scopes,
            outcome: outcome,
            billedWall: paysCompute ? billed(wall, book) : 0,
            compute: paysCompute ? compute(wall, book) : 0,
            royalty: outcome == 0 ? call.terms?.perCall ?? 0 : 0,
            cpu: outcome == 17 ? 0 : min(Int128(step[3].magnitude), call.cpu),
            moment: ledgerMicroseconds,
            priceVersion: books.count,
            terms: call.terms
        )
        charges.append(charge)
        let remaining = credited(call.account) - spent(call.account)
        return "charged \(charge.compute)+\(charge.royalty), remaining \(remaining)"
    }

    /// Where every account stands, and the limits that one kind of call would meet.
    func standing(account: String, key: String, version: Int64, now: Int64) -> String {
        let balances = Cast.accounts.map { account in
            guard accounts.contains(account) else { return "\(account) unknown" }
            let (spent, held) = (spent(account), heldMoney(account))
            return "\(account) \(credited(account) - spent - held)/\(held)/\(spent)"
        }
        let algorithm = Cast.algorithm(version).lowercased()
        let scopes = [
            "account:\(account)", "key:\(key)", "algorithm:\(algorithm)", "account:\(account)+algorithm:\(algorithm)",
        ]
        let moment = max(now, ledgerMicroseconds)
        var lines: [String] = []
        for metric in Cast.metrics {
            for scope in scopes {
                guard
                    let limit = quotas[scope]?[metric]
                        ?? (metric == "concurrent_calls" && scope == scopes[0] ? 80 : nil)
                else { continue }
                lines.append("\(metric) \(scope) \(figures(metric, scope, limit: limit, moment: moment))")
            }
        }
        return (balances + ["\(held.count) held"] + lines).joined(separator: "; ")
    }

    private func figures(_ metric: String, _ scope: String, limit: Int128, moment: Int64) -> String {
        guard let window = ModelCalendar.window(metric, at: moment) else { return "\(running(scope))/\(limit)" }
        let isCPU = metric == "cpu_seconds_month"
        let sum = used(scope, isCPU: isCPU, in: window) + held(scope, isCPU: isCPU)
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
        let fees = charges.reduce(Int128(0)) { $0 + share($1).fee }
        let compute = charges.reduce(Int128(0)) { $0 + $1.compute }
        return lines + authors + ["fees \(fees)", "compute \(compute)"]
    }
}
