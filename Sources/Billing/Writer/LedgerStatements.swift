import SQLite

/// The statements the writer runs in every commit, compiled once.
final class LedgerStatements {
    let updateAccount: Statement
    let upsertCounter: Statement
    let insertBlock: Statement
    let findReference: Statement
    let insertHold: Statement
    let closeHold: Statement
    let insertKey: Statement
    let runAgain: Statement

    init(connection: Connection) throws(SQLiteError) {
        updateAccount = try connection.prepare(
            "UPDATE account SET debits = ?, credits = ?, uncharged = ?, last_usage = ? WHERE id = ?",
            persistent: true
        )
        upsertCounter = try connection.prepare(
            """
            INSERT INTO quota_used(scope, metric, period, used) VALUES (?, ?, ?, ?)
            ON CONFLICT(scope, metric, period) DO UPDATE SET used = excluded.used
            """,
            persistent: true
        )
        insertBlock = try connection.prepare("INSERT INTO block VALUES (?,?,?,?,?,?,?,?,?,?)", persistent: true)
        findReference = try connection.prepare(
            "SELECT dr, cr, amount, code FROM transfer WHERE ref = ?",
            persistent: true
        )
        insertHold = try connection.prepare(
            """
            INSERT INTO hold(invocation, payer, api_key, algorithm, version, algo_version, wall_us, cpu_us, amount,
              price_version, epoch, created_us) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
            """,
            persistent: true
        )
        closeHold = try connection.prepare(
            "UPDATE hold SET state = ? WHERE invocation = ? AND state = 0",
            persistent: true
        )
        insertKey = try connection.prepare(
            """
            INSERT INTO idem(account, key, request, invocation, state, status, response, expires_us)
            VALUES (?,?,?,?,?,?,?,?)
            """,
            persistent: true
        )
        runAgain = try connection.prepare(
            "UPDATE idem SET state = 3 WHERE account = ? AND key = ? AND state = 2",
            persistent: true
        )
    }
}
