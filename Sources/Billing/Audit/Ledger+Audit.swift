import Glibc
import SQLite

extension Ledger {
    /// Checks every rule of a ledger file, on a consistent snapshot, without writing.
    ///
    /// Works beside a running daemon and on a copy; a copy without a log in a folder that cannot be written is read
    /// as it is. Blocks the calling thread for about half a minute per million usage records (37,000 a second on two cores).
    ///
    /// - Parameter path: the file.
    /// - Returns: the findings; the audit itself has succeeded then, whatever it found.
    /// - Throws: `LedgerError` with kind `.open` or `.read` when the file cannot be read as a ledger.
    public static func audit(path: String) throws(LedgerError) -> AuditReport {
        do throws(SQLiteError) {
            return try Audit(connection: openForAudit(path)).report()
        } catch {
            throw LedgerError(error.step == .open ? .open : .read, path, cause: error)
        }
    }

    private static func openForAudit(_ path: String) throws(SQLiteError) -> Connection {
        do throws(SQLiteError) {
            return try opened(path, .readOnly)
        } catch {
            // A WAL database needs its -shm file; without a log that is only a matter of a folder we cannot write.
            guard error.isCannotOpen || error.isReadOnly, !hasLog(path) else { throw error }
            return try opened(path, .immutable)
        }
    }

    /// Opens the file and begins to read, which is when SQLite first needs its log.
    private static func opened(_ path: String, _ access: Connection.Access) throws(SQLiteError) -> Connection {
        let connection = try Connection(path: path, access: access)
        try connection.begin(.deferred)
        _ = try connection.query("SELECT count(*) FROM meta") { (row) throws(SQLiteError) in row.int64(0) }
        return connection
    }

    private static func hasLog(_ path: String) -> Bool {
        var status = stat()
        return stat(path + "-wal", &status) == 0 && status.st_size > 0
    }
}

/// One audit: a list of rules, each checked even if others fail.
struct Audit {
    let connection: Connection

    func report() -> AuditReport {
        let rules: [(String, (inout Findings) throws(SQLiteError) -> Void)] = [
            ("quick_check", quickCheck),
            ("I1 sum of all balances is zero", sumIsZero),
            ("I2 account totals equal transfers", totalsEqualTransfers),
            ("I3 no overdraft", noOverdraft),
            ("I5 usage equals its transfers", usageEqualsTransfers),
            ("I6 one usage record per invocation", oneUsagePerInvocation),
            ("I7 usage re-rated from price book and policy", usageIsRatedRight),
            ("I8 price books are unchanged", priceBooksUnchanged),
            ("I10 dense ids and monotone time", idsAreDense),
            ("I11 block chain", chainIsWhole),
            ("I14 quota counters equal usage", countersEqualUsage),
            ("foreign references", referencesExist),
        ]
        let findings = rules.map { name, rule in
            var findings = Findings(name)
            do throws(SQLiteError) {
                try rule(&findings)
            } catch {
                // Also how sum() says that it overflowed: a finding, not the end of the audit.
                findings.add("could not be checked: \(error)")
            }
            return findings
        }
        return AuditReport(
            ok: findings.allSatisfy { $0.count == 0 },
            checks: findings.map(\.check),
            violations: findings.flatMap(\.listed)
        )
    }

    /// Runs a query that counts what it looked at, and hands each row to a closure.
    func each(_ sql: String, _ body: (borrowing Statement) throws(SQLiteError) -> Void) throws(SQLiteError) {
        let statement = try connection.prepare(sql)
        while try statement.step() { try body(statement) }
    }

    func count(_ table: String) throws(SQLiteError) -> Int64 {
        var count: Int64 = 0
        try each("SELECT count(*) FROM \(table)") { (row) throws(SQLiteError) in count = row.int64(0) }
        return count
    }
}
