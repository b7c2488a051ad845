import SQLite

extension Audit {
    func quickCheck(_ findings: inout Findings) throws(SQLiteError) {
        findings.examined = 1
        try each("PRAGMA quick_check") { (row) throws(SQLiteError) in
            if row.string(0) != "ok" { findings.add(row.string(0)) }
        }
    }

    func sumIsZero(_ findings: inout Findings) throws(SQLiteError) {
        var sum = Int128(0)
        try each("SELECT credits, debits FROM account") { (row) throws(SQLiteError) in
            findings.examined += 1
            sum += Int128(row.int64(0)) - Int128(row.int64(1))
        }
        if sum != 0 { findings.add("all credits less all debits are \(sum) microcredits") }
    }

    func totalsEqualTransfers(_ findings: inout Findings) throws(SQLiteError) {
        let sql = """
            SELECT a.id, a.owner, a.kind, a.debits, a.credits, coalesce(d.s,0), coalesce(c.s,0) FROM account a
            LEFT JOIN (SELECT dr, sum(amount) s FROM transfer GROUP BY dr) d ON d.dr = a.id
            LEFT JOIN (SELECT cr, sum(amount) s FROM transfer GROUP BY cr) c ON c.cr = a.id
            """
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            let (debits, credits) = (row.int64(3), row.int64(4))
            let (moved, received) = (row.int64(5), row.int64(6))
            guard debits != moved || credits != received else { return }
            let name = Self.accountName(id: row.int64(0), owner: row.string(1), kind: row.int64(2))
            findings.add(
                "\(name): debits \(debits) and credits \(credits) microcredits recorded, "
                    + "\(moved) and \(received) by its transfers"
            )
        }
    }

    func noOverdraft(_ findings: inout Findings) throws(SQLiteError) {
        let sql = "SELECT id, owner, kind, debits, credits, overdraft FROM account WHERE flags & 1 OR kind = 1"
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            let left = Int128(row.int64(4)) - Int128(row.int64(3)) + Int128(row.int64(5))
            guard left < 0 else { return }
            let name = Self.accountName(id: row.int64(0), owner: row.string(1), kind: row.int64(2))
            findings.add("\(name) is overdrawn by \(-left) microcredits")
        }
    }

    func referencesExist(_ findings: inout Findings) throws(SQLiteError) {
        let references = [
            ("usage", "payer", "account", "id"), ("usage", "price_version", "price_book", "version"),
            ("usage", "block", "block", "seq"), ("transfer", "dr", "account", "id"),
            ("transfer", "cr", "account", "id"), ("transfer", "usage_seq", "usage", "seq"),
            ("transfer", "block", "block", "seq"), ("royalty", "author", "account", "id"),
            ("royalty", "block", "block", "seq"), ("price_book", "block", "block", "seq"),
            ("admin_log", "block", "block", "seq"),
        ]
        for (table, column, target, key) in references {
            let sql = """
                SELECT t.rowid, t.\(column) FROM \(table) t LEFT JOIN \(target) x ON x.\(key) = t.\(column)
                WHERE t.\(column) IS NOT NULL AND x.\(key) IS NULL
                """
            findings.examined += try count(table)
            try each(sql) { (row) throws(SQLiteError) in
                findings.add("\(table) \(row.int64(0)): \(column) \(row.int64(1)) is not in \(target)")
            }
        }
        let sql = """
            SELECT u.seq, u.algo_version FROM usage u LEFT JOIN royalty r ON r.algo_version = u.algo_version
            WHERE u.royalty_ucr > 0 AND r.id IS NULL
            """
        try each(sql) { (row) throws(SQLiteError) in
            findings.add("usage \(row.int64(0)): version \(row.int64(1)) has no royalty")
        }
    }

    static func accountName(id: Int64, owner: String, kind: Int64) -> String {
        let kindName = AccountKind(rawValue: kind).map { "\($0)" } ?? "kind \(kind)"
        return "account \(owner.isEmpty ? "of the platform" : owner) (\(kindName), number \(id))"
    }
}
