import SQLite

extension LedgerFile {
    /// Begins a transaction and the block that it will be; ledger time never goes back, whatever the clock does.
    func beginBlock(at now: Int64) throws(SQLiteError) {
        try connection.begin(.immediate)
        block += 1
        ledgerMicroseconds = max(ledgerMicroseconds + 1, now)
        touchedCounters = []
        blockSum = 0
        changes = CommittedChanges()
    }

    /// Writes balances, counters and the block, and commits; nothing but the commit when nothing was recorded.
    ///
    /// - Throws: `SQLiteError`; whether the block is in the file is unknown then.
    func finishBlock() throws(SQLiteError) {
        if keysKept >= 256 {
            try forgetKeys(atMost: 2 * keysKept)
            keysKept = 0
        }
        try writeAccounts()
        try writeCounters()
        try writeBlock()
        try connection.commit()
        changes.ledgerMicroseconds = ledgerMicroseconds
    }

    private func writeAccounts() throws(SQLiteError) {
        var credited: Int64 = 0
        var debited: Int64 = 0
        for account in touched {
            credited += account.blockCredits
            debited += account.blockDebits
            try statements.updateAccount.bind(1, account.debits)
            try statements.updateAccount.bind(2, account.credits)
            try statements.updateAccount.bind(3, account.uncharged)
            try statements.updateAccount.bind(4, account.lastUsage)
            try statements.updateAccount.bind(5, account.id)
            try statements.updateAccount.run()
            note(account)
            (account.blockDebits, account.blockCredits, account.isTouched) = (0, 0, false)
        }
        touched.removeAll(keepingCapacity: true)
        // I1 and I2: the balances have moved by exactly what the transfers say.
        precondition(
            credited == blockSum && debited == blockSum,
            "block \(block) moves \(blockSum), but credits \(credited) and debits \(debited)"
        )
    }

    private func writeCounters() throws(SQLiteError) {
        for key in touchedCounters {
            guard let counter = counters[key.scope]?[key.metric] else { continue }
            try statements.upsertCounter.bind(1, key.scope)
            try statements.upsertCounter.bind(2, key.metric.rawValue)
            try statements.upsertCounter.bind(3, counter.window)
            try statements.upsertCounter.bind(4, counter.used)
            try statements.upsertCounter.run()
            changes.counters[key.scope, default: [:]][key.metric] = counter
        }
    }

    private func writeBlock() throws(SQLiteError) {
        let tables = [usage, transfers, royaltyRows, priceBooks, adminLog]
        let rows = tables.reduce(0) { $0 + $1.count }
        guard rows > 0 else {
            block -= 1
            return
        }
        let transferRange = (transfers.firstInBlock, transfers.firstInBlock.map { _ in transfers.lastID })
        let usageRange = (usage.firstInBlock, usage.firstInBlock.map { _ in usage.lastID })
        let hash = BlockHash.hash(
            prev: head,
            tables: tables.map { $0.finishBlock() },
            rows: rows,
            sum: blockSum,
            ledgerMicroseconds: ledgerMicroseconds
        )
        try statements.insertBlock.bind([
            .integer(block), .blob(head), .blob(hash),
            Value(transferRange.0), Value(transferRange.1), Value(usageRange.0), Value(usageRange.1),
            .integer(rows), .integer(blockSum), .integer(ledgerMicroseconds),
        ])
        try statements.insertBlock.run()
        head = hash
    }

    /// Moves money; the balances are written once per block.
    func transfer(
        from debit: LedgerAccount,
        to credit: LedgerAccount,
        amount: Int64,
        code: TransferCode,
        usage: Int64?,
        ref: String? = nil,
        reverses: Int64? = nil,
        actor: String = ""
    ) throws(SQLiteError) {
        transfers.begin()
        transfers.integer(usage)
        transfers.integer(debit.id)
        transfers.integer(credit.id)
        transfers.integer(amount)
        transfers.integer(code.rawValue)
        transfers.blob(ref.map { Array($0.utf8) })
        transfers.text(actor)
        transfers.integer(ledgerMicroseconds)
        transfers.integer(block)
        transfers.integer(reverses)
        _ = try transfers.finish()
        touch(debit)
        touch(credit)
        debit.debit(amount)
        credit.credit(amount)
        blockSum += amount
    }

    func touch(_ account: LedgerAccount) {
        guard !account.isTouched else { return }
        account.isTouched = true
        touched.append(account)
    }

    /// Notes an administrative act in the chain.
    func log(actor: String, verb: String, subject: String, before: String?, after: String?) throws(SQLiteError) {
        adminLog.begin()
        adminLog.integer(ledgerMicroseconds)
        adminLog.text(actor)
        adminLog.text(verb)
        adminLog.text(subject)
        adminLog.text(before)
        adminLog.text(after)
        adminLog.integer(block)
        _ = try adminLog.finish()
    }
}
