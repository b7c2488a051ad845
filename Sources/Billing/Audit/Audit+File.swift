import SQLite

/// What is checked on the file itself, beside the walk through its rows and on another core.
struct FileChecks: Sendable {
    var integrity = Findings("quick_check")
    /// The sum over the unique index of usage; nil when it is not ascending, or not there.
    var index: InvocationSum?

    /// Reads the whole file once, and the index.
    ///
    /// - Parameters:
    ///   - connection: a connection of its own; what was recorded after the walk's snapshot is left out.
    ///   - last: the last usage record of that snapshot.
    init(_ connection: Connection, through last: Int64) {
        integrity.examined = 1
        do throws(SQLiteError) {
            let answers = try connection.query("PRAGMA quick_check") { (row) throws(SQLiteError) in row.string(0) }
            for answer in answers where answer != "ok" { integrity.add(answer) }
        } catch {
            integrity.add("could not be checked: \(error)")
        }
        index = try? InvocationSum.ofIndex(connection, through: last)
    }

    init(unreadable error: SQLiteError) {
        integrity.add("could not be checked: \(error)")
    }
}

extension Audit {
    /// The unique index proves it when it is whole; else the table is searched without it.
    func oneUsagePerInvocation(_ walked: InvocationSum, _ file: FileChecks, _ findings: inout Findings)
        throws(SQLiteError)
    {
        findings.examined = walked.count
        guard file.index != walked else { return }
        // NOT INDEXED: a tampered file may have an index that hides what the table holds.
        let sql = "SELECT hex(invocation), count(*) FROM usage NOT INDEXED GROUP BY invocation HAVING count(*) > 1"
        try each(sql) { (row) throws(SQLiteError) in
            findings.add("invocation \(row.string(0)) has \(row.int64(1)) usage records")
        }
        if findings.count == 0 { findings.add("the index of invocations is not that of the usage records") }
    }
}
