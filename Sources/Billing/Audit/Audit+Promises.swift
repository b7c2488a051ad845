import SQLite

/// Rules over what is not in the chain: holds on disk, idempotency keys; and over reversals.
extension Audit {
    /// Every hold has become one charge or none.
    ///
    /// - Parameters:
    ///   - newest: how many are looked at, the last ones; nil for all.
    ///   - findings: what does not fit.
    /// - Throws: `SQLiteError`.
    func holdsAreSound(newest: Int64? = nil, _ findings: inout Findings) throws(SQLiteError) {
        let epochs = "(SELECT value FROM meta WHERE key = 'epoch')"
        try each("SELECT id, epoch FROM hold WHERE state = 0 AND epoch <> \(epochs)") { (row) throws(SQLiteError) in
            findings.add("hold \(row.int64(0)) of run \(row.int64(1)) is still open")
        }
        let sql = """
            SELECT h.id, h.state, h.amount, u.seq, u.amount_ucr, u.hold_ucr FROM hold h
            LEFT JOIN usage u ON u.invocation = h.invocation WHERE h.state <> 0
            """ + (newest.map { " AND h.id > (SELECT max(id) FROM hold) - \($0)" } ?? "")
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            let (id, isPosted, charge) = (row.int64(0), row.int64(1) == 1, row.int64(4))
            if isPosted, row.isNull(3) { findings.add("hold \(id) was captured, and has no usage record") }
            if isPosted, !row.isNull(3), row.int64(5) != row.int64(2) {
                findings.add("hold \(id): \(row.int64(2)) microcredits, its usage record says \(row.int64(5))")
            }
            if !isPosted, charge != 0 { findings.add("hold \(id) was given back, and \(charge) microcredits charged") }
        }
    }

    func keysHaveUsage(_ findings: inout Findings) throws(SQLiteError) {
        let sql = """
            SELECT i.id, i.account, u.payer FROM idem i LEFT JOIN usage u ON u.invocation = i.invocation
            """
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            guard row.isNull(2) || row.int64(1) != row.int64(2) else { return }
            findings.add("idempotency key \(row.int64(0)): its call has no usage record of account \(row.int64(1))")
        }
    }

    /// A charge's leg is taken back once, by one with the same accounts the other way and the same money.
    ///
    /// - Parameters:
    ///   - last: only transfers behind this one are looked at.
    ///   - findings: what does not fit.
    /// - Throws: `SQLiteError`.
    func reversalsSwapLegs(after last: Int64 = 0, _ findings: inout Findings) throws(SQLiteError) {
        let sql = """
            SELECT r.id, r.dr, r.cr, r.amount, r.code, t.id, t.dr, t.cr, t.amount FROM transfer r
            LEFT JOIN transfer t ON t.id = r.reverses WHERE r.id > \(last) AND (r.reverses IS NOT NULL OR r.code = 300)
            """
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            let isSwapped = row.int64(1) == row.int64(7) && row.int64(2) == row.int64(6)
            let isRight = isSwapped && row.int64(3) == row.int64(8) && row.int64(4) == TransferCode.refund.rawValue
            guard row.isNull(5) || !isRight else { return }
            findings.add("transfer \(row.int64(0)) does not reverse transfer \(row.int64(5))")
        }
        let twice = "SELECT reverses, count(*) FROM transfer WHERE reverses IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
        try each(twice) { (row) throws(SQLiteError) in
            findings.add("transfer \(row.int64(0)) is reversed \(row.int64(1)) times")
        }
    }
}
