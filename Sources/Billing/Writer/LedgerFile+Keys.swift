import SQLite

extension LedgerFile {
    /// Keeps the answer of a call that had an idempotency key, in the transaction that charges it.
    func keep(_ answer: KeyRow, invocation: InvocationID, payer: LedgerAccount) throws(SQLiteError) {
        if answer.isSecondRun {
            try statements.runAgain.bind(1, payer.id)
            try statements.runAgain.bind(2, answer.key)
            return try statements.runAgain.run()
        }
        let response = room(for: answer.response, of: payer.id)
        try statements.insertKey.bind(1, payer.id)
        try statements.insertKey.bind(2, answer.key)
        try statements.insertKey.bind(3, answer.request)
        try statements.insertKey.bind(4, invocation.bytes)
        try statements.insertKey.bind(5, response == nil ? Int64(2) : 1)
        try statements.insertKey.bind(6, Int64(answer.status))
        try statements.insertKey.bind(7, response)
        try statements.insertKey.bind(8, ledgerMicroseconds + limits.keyLifetime.wholeMicroseconds)
        do throws(SQLiteError) { try statements.insertKey.run() } catch {
            // Only a key whose time was over can be there still.
            guard error.isUniqueViolation else { throw error }
            try connection.run(
                "DELETE FROM idem WHERE account = ? AND key = ?",
                .integer(payer.id),
                .text(answer.key)
            )
            try statements.insertKey.run()
        }
        keysKept += 1
        if oldestKeyExpires == .max { oldestKeyExpires = ledgerMicroseconds + limits.keyLifetime.wholeMicroseconds }
    }

    /// The response, if there is room to keep it.
    private func room(for response: [UInt8]?, of account: Int64) -> [UInt8]? {
        guard let response else { return nil }
        let (bytes, kept) = (Int64(response.count), keptBytes[account] ?? 0)
        guard kept + bytes <= limits.keptBytesAccountMax, keptBytesTotal + bytes <= limits.keptBytesMax else {
            return nil
        }
        keptBytes[account] = kept + bytes
        keptBytesTotal += bytes
        return response
    }

    /// Forgets keys whose time is over, oldest first.
    func forgetKeys(atMost count: Int64) throws(SQLiteError) {
        guard oldestKeyExpires < ledgerMicroseconds else { return }
        let sql = """
            DELETE FROM idem WHERE id IN (SELECT id FROM idem ORDER BY id LIMIT ?) AND expires_us < ?
            RETURNING account, coalesce(length(response),0)
            """
        let gone = try connection.query(sql, .integer(count), .integer(ledgerMicroseconds)) {
            (row) throws(SQLiteError) in (account: row.int64(0), bytes: row.int64(1))
        }
        for (account, bytes) in gone {
            keptBytes[account, default: 0] -= bytes
            keptBytesTotal -= bytes
        }
        oldestKeyExpires = try first("SELECT expires_us FROM idem ORDER BY id LIMIT 1") ?? .max
    }

    func loadKeys() throws(SQLiteError) {
        oldestKeyExpires = try first("SELECT expires_us FROM idem ORDER BY id LIMIT 1") ?? .max
        let sql = "SELECT account, coalesce(sum(length(response)),0) FROM idem GROUP BY account"
        for (account, bytes) in try connection.query(
            sql,
            row: { (row) throws(SQLiteError) in (row.int64(0), row.int64(1)) }
        ) {
            keptBytes[account] = bytes
            keptBytesTotal += bytes
        }
    }
}
