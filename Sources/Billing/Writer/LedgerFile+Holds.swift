import SQLite

extension LedgerFile {
    /// Makes a hold durable, before its call starts.
    func open(_ held: HeldCall) throws(SQLiteError) {
        let call = held.pending.call
        try statements.insertHold.bind([
            .blob(call.invocation.bytes), Value(callers[call.account]?.id), .text(call.keyID), .text(call.algorithm),
            .text(call.version), .integer(call.versionID), .integer(held.wallMicroseconds),
            .integer(held.cpuMicroseconds), .integer(held.money), .integer(priceVersion), .integer(epoch),
            .integer(ledgerMicroseconds),
        ])
        try statements.insertHold.run()
    }

    /// Ends a durable hold: captured (posted), or given back (voided).
    func close(_ invocation: InvocationID, posted: Bool) throws(SQLiteError) {
        try statements.closeHold.bind(1, posted ? Int64(1) : 2)
        try statements.closeHold.bind(2, invocation.bytes)
        try statements.closeHold.run()
    }

    /// Voids what an earlier run of the daemon held.
    ///
    /// Its boxes are gone, and each call is recorded as our fault, for nothing. One whose invocation has been charged
    /// otherwise is only closed: a ledger must open.
    func recoverHolds() throws(SQLiteError) {
        try connection.run(
            """
            UPDATE hold SET state = 1 WHERE state = 0 AND epoch < ?
            AND EXISTS (SELECT 1 FROM usage WHERE usage.invocation = hold.invocation)
            """,
            .integer(epoch)
        )
        let sql = """
            SELECT invocation, payer, api_key, algorithm, version, algo_version, epoch, created_us, wall_us, amount,
              cpu_us, price_version FROM hold WHERE state = 0 AND epoch < ? ORDER BY id
            """
        let open = try connection.query(sql, .integer(epoch)) { (row) throws(SQLiteError) in row.row }
        for hold in open {
            usage.begin()
            for value in hold.prefix(7) { usage.append(value) }
            usage.append(hold[7])  // when it was admitted; when it started is not known
            for _ in 0..<9 { usage.integer(0) }
            for value in hold[8...10] { usage.append(value) }
            usage.integer(0)
            usage.integer(0)
            usage.integer(Int64(Outcome.platformFault.rawValue))
            usage.integer(PayPolicy.current.rawValue)
            usage.append(hold[11])
            for _ in 0..<3 { usage.integer(0) }
            usage.integer(ledgerMicroseconds)
            usage.integer(block)
            usage.integer(0)
            usage.integer(0)
            usage.null()
            guard case .integer(let number) = hold[1], let payer = accounts[Int(number)] ?? nil else { continue }
            usage.integer(payer.lastUsage)
            payer.lastUsage = try usage.finish()
            touch(payer)
        }
        try connection.run("UPDATE hold SET state = 2 WHERE state = 0 AND epoch < ?", .integer(epoch))
    }
}
