import SQLite

extension LedgerFile {
    /// Keeps the answer of a call that had an idempotency key, in the transaction that charges it.
    func keep(_ answer: KeyRow, invocation: InvocationID, payer: LedgerAccount) throws(SQLiteError) {
        if answer.isSecondRun {
            try statements.runAgain.bind(1, payer.id)
            try statements.runAgain.bind(2, answer.key)
            return try statements.runAgain.run()
        }
        try statements.insertKey.bind(1, payer.id)
        try statements.insertKey.bind(2, answer.key)
        try statements.insertKey.bind(3, answer.request)
        try statements.insertKey.bind(4, invocation.bytes)
        try statements.insertKey.bind(5, answer.response == nil ? Int64(2) : 1)
        try statements.insertKey.bind(6, Int64(answer.status))
        try statements.insertKey.bind(7, answer.response)
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
    }

    /// Forgets keys whose time is over, oldest first.
    func forgetKeys(atMost count: Int64) throws(SQLiteError) {
        let sql = "DELETE FROM idem WHERE id IN (SELECT id FROM idem ORDER BY id LIMIT ?) AND expires_us < ?"
        try connection.run(sql, .integer(count), .integer(ledgerMicroseconds))
    }
}
