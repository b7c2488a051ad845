import SQLite

extension LedgerFile {
    /// Charges a finished call: usage, transfers, balances, counters and the kept answer, all in this block.
    func record(_ settlement: Settlement) throws(SQLiteError) -> Result<Answer, LedgerError> {
        let call = settlement.held.pending.call
        guard let payer = accounts[Int(settlement.held.pending.accountID)] else {
            return .failure(LedgerError(.accountUnknown, call.account))
        }
        let bill = bill(for: settlement)
        let sequence: Int64
        do throws(SQLiteError) {
            sequence = try append(settlement, payer: payer, bill)
        } catch {
            // The statement alone was undone; the rest of the block stands.
            guard error.isUniqueViolation else { throw error }
            if settlement.held.isDurable { try close(call.invocation, posted: false) }
            return .failure(LedgerError(.conflict, "invocation \(call.invocation) has been charged before"))
        }
        payer.lastUsage = sequence
        touch(payer)
        try move(bill.charge, payer: payer, terms: settlement.held.pending.royalty, usage: sequence)
        count(bill, settlement.held.pending)
        if settlement.held.isDurable { try close(call.invocation, posted: true) }
        if let answer = settlement.keeping { try keep(answer, invocation: call.invocation, payer: payer) }
        return .success(.receipt(receipt(for: call.invocation, bill.charge, payer)))
    }

    /// What a call costs, and what of its CPU time counts against which allowance.
    struct Bill {
        let charge: Charge
        /// CPU time that its quota counts.
        let cpu: Int64
        /// CPU time that nobody pays for, and whose allowance it is.
        let unpaid: Int64
        let unpaidBy: Allowance.Payers
        /// Whether the failure allowance, or the call that it repeats, pays for it.
        let isAbsorbed: Bool
    }

    private func bill(for settlement: Settlement) -> Bill {
        let (held, usage) = (settlement.held, settlement.usage)
        let outcome = usage.outcome
        let all = usage.cpu.wholeMicroseconds + usage.loadCPU.wholeMicroseconds
        let isReplay = held.pending.call.replayOf != nil
        let isAbsorbed = isReplay || PayPolicy.current.mayAbsorb(outcome) && isAllowed(all, held.pending)
        let charge = prices.charge(
            outcome: outcome,
            wallMicroseconds: min(usage.wall.wholeMicroseconds, held.wallMicroseconds),
            royalty: Microcredits(rawValue: held.pending.royalty?.perCall ?? 0),
            policy: .current,
            isAbsorbed: isAbsorbed
        )
        precondition(charge.amount.rawValue <= held.money, "\(charge) passes the hold of \(held.money)")
        let isPaid = PayPolicy.current.callerPaysCompute(outcome, isAbsorbed: isAbsorbed)
        let isOurs = outcome == .platformFault
        return Bill(
            charge: charge,
            cpu: isOurs ? 0 : min(usage.cpu.wholeMicroseconds, held.cpuMicroseconds),
            unpaid: isOurs ? 0 : isPaid ? usage.loadCPU.wholeMicroseconds : all,
            unpaidBy: isReplay ? .account : isPaid ? .author : .everyone,
            isAbsorbed: isAbsorbed
        )
    }

    private func receipt(for invocation: InvocationID, _ charge: Charge, _ payer: LedgerAccount) -> Receipt {
        Receipt(
            invocation: invocation,
            charge: charge.amount,
            royalty: charge.royalty,
            compute: charge.compute,
            remaining: Microcredits(rawValue: payer.lots.reduce(payer.balance + payer.overdraft) { $0 + $1.balance }),
            priceVersion: priceVersion
        )
    }

    /// Appends the usage record, column by column in the order of the table.
    private func append(
        _ settlement: Settlement,
        payer: LedgerAccount,
        _ bill: Bill
    ) throws(SQLiteError) -> Int64 {
        let (held, record) = (settlement.held, settlement.usage)
        let call = held.pending.call
        usage.begin()
        usage.blob(call.invocation.bytes)
        usage.integer(payer.id)
        usage.text(call.keyID)
        usage.text(call.algorithm)
        usage.text(call.version)
        usage.integer(call.versionID)
        usage.integer(epoch)
        usage.integer(record.startMicroseconds)
        for duration in [record.wall, record.cpu, record.queue, record.load] {
            usage.integer(duration.wholeMicroseconds)
        }
        usage.integer(record.warm ? 1 : 0)
        for count in [record.memoryLimitBytes, record.memoryPeakBytes, record.bytesIn, record.bytesOut] {
            usage.integer(count)
        }
        for amount in [held.wallMicroseconds, held.money, held.cpuMicroseconds] { usage.integer(amount) }
        usage.integer(bill.charge.billedMicroseconds)
        usage.integer(bill.cpu)
        usage.integer(Int64(record.outcome.rawValue))
        usage.integer(PayPolicy.current.rawValue)
        usage.integer(priceVersion)
        for money in [bill.charge.compute, bill.charge.royalty, bill.charge.amount] { usage.integer(money.rawValue) }
        usage.integer(ledgerMicroseconds)
        usage.integer(block)
        usage.integer(record.loadCPU.wholeMicroseconds)
        usage.integer(bill.isAbsorbed ? 1 : 0)
        usage.blob(call.replayOf?.bytes)
        usage.integer(payer.lastUsage)
        return try usage.finish()
    }

    private func move(_ charge: Charge, payer: LedgerAccount, terms: RoyaltyTerms?, usage: Int64) throws(SQLiteError) {
        if charge.compute > .zero {
            let amount = charge.compute.rawValue
            try draw(amount, from: payer, to: platform(.computeRevenue), code: .compute, usage: usage)
        }
        guard charge.royalty > .zero, let terms, let author = accounts[Int(terms.authorAccount)] else { return }
        let (own, fee) = (terms.authorPart, charge.royalty.rawValue - terms.authorPart)
        if own > 0 { try draw(own, from: payer, to: author, code: .royaltyAuthor, usage: usage) }
        if fee > 0 { try draw(fee, from: payer, to: platform(.platformFee), code: .royaltyPlatform, usage: usage) }
    }
}
