import Crypto
import SQLite

extension Audit {
    func sumIsZero(_ findings: inout Findings) throws(SQLiteError) {
        var sum = Int128(0)
        try each("SELECT credits, debits FROM account") { (row) throws(SQLiteError) in
            findings.examined += 1
            sum += Int128(row.int64(0)) - Int128(row.int64(1))
        }
        if sum != 0 { findings.add("all credits less all debits are \(sum) microcredits") }
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

    func priceBooksUnchanged(_ findings: inout Findings) throws(SQLiteError) {
        try each("SELECT version, doc, sha256 FROM price_book") { (row) throws(SQLiteError) in
            findings.examined += 1
            let digest = Array(SHA256.hash(data: Array(row.string(1).utf8)))
            if digest != row.bytes(2) { findings.add("price book \(row.int64(0)) is not what was published") }
        }
    }

    func authorsExist(_ findings: inout Findings) throws(SQLiteError) {
        let sql = "SELECT r.id, r.author, a.id FROM royalty r LEFT JOIN account a ON a.id = r.author"
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            guard row.isNull(2) else { return }
            findings.add("royalty \(row.int64(0)): author \(row.int64(1)) is not in account")
        }
    }

    func grantsHaveOwners(_ findings: inout Findings) throws(SQLiteError) {
        let sql = """
            SELECT l.id, l.parent FROM account l LEFT JOIN account p ON p.id = l.parent AND p.kind = 1 AND p.owner = l.owner
            WHERE l.parent IS NOT NULL AND p.id IS NULL
            """
        try each(sql) { (row) throws(SQLiteError) in
            findings.add("account \(row.int64(0)): parent \(row.int64(1)) is no account of the same owner")
        }
    }

    static func accountName(id: Int64, owner: String, kind: Int64) -> String {
        let kindName = AccountKind(rawValue: kind).map { "\($0)" } ?? "kind \(kind)"
        return "account \(owner.isEmpty ? "of the platform" : owner) (\(kindName), number \(id))"
    }
}
