import SQLite

extension LedgerFile {
    /// Charges a finished call: usage, transfers, balances and counters, all in this block.
    func record(_ settlement: Settlement) throws(SQLiteError) -> Result<Answer, LedgerError> {
        let held = settlement.held
        let call = held.pending.call
        guard let payer = accountIDs[AccountKey(owner: call.account, kind: .caller)] else {
            return .failure(LedgerError(.accountUnknown, call.account))
        }
        let charge = prices.charge(
            outcome: settlement.usage.outcome,
            wallMicroseconds: min(settlement.usage.wall.wholeMicroseconds, held.wallMicroseconds),
            royalty: Microcredits(rawValue: held.pending.royalty?.perCall ?? 0),
            policy: .current
        )
        precondition(charge.amount.rawValue <= held.money, "\(charge) passes the hold of \(held.money)")
        let isFault = settlement.usage.outcome == .platformFault
        let cpu = isFault ? 0 : min(settlement.usage.cpu.wholeMicroseconds, held.cpuMicroseconds)
        let sequence: Int64
        do throws(SQLiteError) {
            sequence = try usage.append(usageColumns(settlement, payer: payer, charge: charge, cpu: cpu))
        } catch {
            // The statement alone was undone; the rest of the block stands.
            guard error.isUniqueViolation else { throw error }
            return .failure(LedgerError(.conflict, "invocation \(call.invocation) has been charged before"))
        }
        try move(charge, payer: payer, terms: held.pending.royalty, usage: sequence)
        count(charge, cpu: cpu, scopes: held.pending.scopes)
        let remaining = accounts[payer].map { $0.credits - $0.debits + $0.overdraft } ?? 0
        return .success(
            .receipt(
                Receipt(
                    invocation: call.invocation,
                    charge: charge.amount,
                    royalty: charge.royalty,
                    compute: charge.compute,
                    remaining: Microcredits(rawValue: remaining),
                    priceVersion: priceVersion
                )
            )
        )
    }

    private func usageColumns(_ settlement: Settlement, payer: Int64, charge: Charge, cpu: Int64) -> [Value] {
        let (held, usage) = (settlement.held, settlement.usage)
        let call = held.pending.call
        return [
            .blob(call.invocation.bytes), .integer(payer), .text(call.keyID),
            .text(call.algorithm), .text(call.version), .integer(call.versionID), .integer(epoch),
            .integer(usage.startMicroseconds), .integer(usage.wall.wholeMicroseconds),
            .integer(usage.cpu.wholeMicroseconds),
            .integer(usage.queue.wholeMicroseconds), .integer(usage.load.wholeMicroseconds), Value(usage.warm),
            .integer(usage.memoryLimitBytes), .integer(usage.memoryPeakBytes),
            .integer(usage.bytesIn), .integer(usage.bytesOut),
            .integer(held.wallMicroseconds), .integer(held.money), .integer(held.cpuMicroseconds),
            .integer(charge.billedMicroseconds), .integer(cpu),
            Value(usage.outcome.rawValue), .integer(PayPolicy.current.rawValue), .integer(priceVersion),
            .integer(charge.compute.rawValue), .integer(charge.royalty.rawValue), .integer(charge.amount.rawValue),
            .integer(ledgerMicroseconds), .integer(block),
        ]
    }

    private func move(_ charge: Charge, payer: Int64, terms: RoyaltyTerms?, usage: Int64) throws(SQLiteError) {
        guard
            let revenue = accountIDs[AccountKey(owner: "", kind: .computeRevenue)],
            let fee = accountIDs[AccountKey(owner: "", kind: .platformFee)]
        else { preconditionFailure("the platform's accounts are opened at the start") }
        var legs: [(to: Int64, amount: Int64, code: TransferCode)] = [(revenue, charge.compute.rawValue, .compute)]
        if let terms {
            let weights = [terms.authorBasisPoints, 10_000 - terms.authorBasisPoints]
            let parts = split(charge.royalty.rawValue, weights: weights)
            legs.append((terms.authorAccount, parts[0], .royaltyAuthor))
            legs.append((fee, parts[1], .royaltyPlatform))
        }
        for leg in legs where leg.amount > 0 {
            try transfer(from: payer, to: leg.to, amount: leg.amount, code: leg.code, usage: usage, actor: "")
        }
    }

    private func count(_ charge: Charge, cpu: Int64, scopes: [String]) {
        for scope in scopes {
            guard let quotas = quotas[scope] else { continue }
            for metric in QuotaMetric.budgets where quotas[metric] != nil {
                let amount = metric == .cpuSecondsMonth ? cpu : charge.amount.rawValue
                guard amount > 0, let window = metric.window?.index(at: ledgerMicroseconds) else { continue }
                let used = counters[scope]?[metric]?.used(in: window) ?? 0
                counters[scope, default: [:]][metric] = WindowCounter(window: window, used: used + amount)
                touchedCounters.insert(QuotaKey(scope: scope, metric: metric))
            }
        }
    }
}
