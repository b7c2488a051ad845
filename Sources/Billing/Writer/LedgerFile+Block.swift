import SQLite

extension LedgerFile {
    /// Begins a transaction and the block that it will be; ledger time never goes back, whatever the clock does.
    func beginBlock(at now: Int64) throws(SQLiteError) {
        try connection.begin(.immediate)
        block += 1
        ledgerMicroseconds = max(ledgerMicroseconds + 1, now)
        touched = [:]
        touchedCounters = []
        blockSum = 0
        changes = CommittedChanges()
    }

    /// Writes balances, counters and the block, and commits; nothing but the commit when nothing was recorded.
    ///
    /// - Throws: `SQLiteError`; whether the block is in the file is unknown then.
    func finishBlock() throws(SQLiteError) {
        try writeAccounts()
        try writeCounters()
        try writeBlock()
        try connection.commit()
        changes.ledgerMicroseconds = ledgerMicroseconds
    }

    private func writeAccounts() throws(SQLiteError) {
        var credited: Int64 = 0
        var debited: Int64 = 0
        for (id, before) in touched {
            guard let row = accounts[id] else { continue }
            credited += row.credits - before.credits
            debited += row.debits - before.debits
            try statements.updateAccount.bind(1, row.debits)
            try statements.updateAccount.bind(2, row.credits)
            try statements.updateAccount.bind(3, id)
            try statements.updateAccount.run()
            if row.key.kind == .caller { changes.accounts[row.key.owner] = row.state }
        }
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
        from debit: Int64,
        to credit: Int64,
        amount: Int64,
        code: TransferCode,
        usage: Int64?,
        ref: String? = nil,
        actor: String
    ) throws(SQLiteError) {
        for id in [debit, credit] where touched[id] == nil { touched[id] = accounts[id] }
        _ = try transfers.append([
            Value(usage), .integer(debit), .integer(credit), .integer(amount), .integer(code.rawValue),
            ref.map { .blob(Array($0.utf8)) } ?? .null, .text(actor), .integer(ledgerMicroseconds), .integer(block),
        ])
        accounts[debit]?.debits += amount
        accounts[credit]?.credits += amount
        blockSum += amount
    }

    /// Finds an account, or opens it.
    func account(owner: String, kind: AccountKind, actor: String) throws(SQLiteError) -> Int64 {
        let key = AccountKey(owner: owner, kind: kind)
        if let id = accountIDs[key] { return id }
        try connection.run(
            "INSERT INTO account(owner, kind, flags, created_us) VALUES (?, ?, ?, ?)",
            .text(owner),
            .integer(kind.rawValue),
            .integer(kind.flags),
            .integer(ledgerMicroseconds)
        )
        let id = connection.lastInsertRowID
        let row = AccountRow(key: key, overdraft: 0, debits: 0, credits: 0)
        accounts[id] = row
        accountIDs[key] = id
        if kind == .caller { changes.accounts[owner] = row.state }
        try log(actor: actor, verb: "account open", subject: owner, before: nil, after: "\(kind)")
        return id
    }

    /// Notes an administrative act in the chain.
    func log(actor: String, verb: String, subject: String, before: String?, after: String?) throws(SQLiteError) {
        _ = try adminLog.append([
            .integer(ledgerMicroseconds), .text(actor), .text(verb), .text(subject), Value(before), Value(after),
            .integer(block),
        ])
    }
}
