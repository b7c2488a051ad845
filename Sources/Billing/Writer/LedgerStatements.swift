import SQLite

/// The statements the writer runs in every commit, compiled once.
final class LedgerStatements {
    let updateAccount: Statement
    let upsertCounter: Statement
    let insertBlock: Statement
    let findReference: Statement

    init(connection: Connection) throws(SQLiteError) {
        updateAccount = try connection.prepare(
            "UPDATE account SET debits = ?, credits = ? WHERE id = ?",
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
        findReference = try connection.prepare("SELECT cr, amount, code FROM transfer WHERE ref = ?", persistent: true)
    }
}
