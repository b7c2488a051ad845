import Crypto
import SQLite

extension Audit {
    func usageEqualsTransfers(_ findings: inout Findings) throws(SQLiteError) {
        // One row for each usage record: the sums of its legs by code, and how many legs do not start at its payer.
        let sql = """
            SELECT u.seq, u.compute_ucr, u.royalty_ucr, coalesce(r.author_bps,0), coalesce(t.compute,0),
              coalesce(t.author,0), coalesce(t.fee,0), coalesce(t.amount,0), coalesce(t.strangers,0)
            FROM usage u LEFT JOIN royalty r ON r.algo_version = u.algo_version
            LEFT JOIN (SELECT x.usage_seq s, sum(x.amount) amount,
                sum(iif(x.code=200 AND c.kind=4,x.amount,0)) compute,
                sum(iif(x.code=210 AND c.kind=2,x.amount,0)) author,
                sum(iif(x.code=220 AND c.kind=3,x.amount,0)) fee,
                sum(coalesce(d.parent,d.id)<>p.payer OR x.ts_us<>p.ts_us OR x.block<>p.block) strangers
              FROM transfer x JOIN usage p ON p.seq = x.usage_seq JOIN account c ON c.id = x.cr
              JOIN account d ON d.id = x.dr
              GROUP BY x.usage_seq) t ON t.s = u.seq
            """
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            let (compute, royalty, share) = (row.int64(1), row.int64(2), row.int64(3))
            let isSound = compute >= 0 && royalty >= 0 && (0...10_000).contains(share)
            let parts = isSound ? split(royalty, weights: [share, 10_000 - share]) : [0, 0]
            let due = [compute, parts[0], parts[1], compute &+ royalty, 0]
            let found = (4...8).map { row.int64($0) }
            guard due != found || !isSound else { return }
            findings.add(
                "usage \(row.int64(0)): compute, author, fee and all due \(due.dropLast()) microcredits, "
                    + "moved \(found.dropLast()), legs with another payer, time or block \(found[4])"
            )
        }
        let moves = "SELECT id, code, amount FROM transfer WHERE (usage_seq IS NULL) = (code BETWEEN 200 AND 299)"
        try each(moves) { (row) throws(SQLiteError) in
            findings.add(
                "transfer \(row.int64(0)) of \(row.int64(2)) microcredits: code \(row.int64(1)) and usage disagree"
            )
        }
    }

    func oneUsagePerInvocation(_ findings: inout Findings) throws(SQLiteError) {
        findings.examined = try count("usage")
        // NOT INDEXED: a tampered file may have an index that hides what the table holds.
        let sql = "SELECT hex(invocation), count(*) FROM usage NOT INDEXED GROUP BY invocation HAVING count(*) > 1"
        try each(sql) { (row) throws(SQLiteError) in
            findings.add("invocation \(row.string(0)) has \(row.int64(1)) usage records")
        }
    }

    func usageIsRatedRight(_ findings: inout Findings) throws(SQLiteError) {
        var books: [Int64: PriceBook] = [:]
        try each("SELECT version, doc FROM price_book") { (row) throws(SQLiteError) in
            books[row.int64(0)] = PriceBook(document: row.string(1))
        }
        var royalties: [Int64: Int64] = [:]
        try each("SELECT algo_version, per_call_ucr FROM royalty") { (row) throws(SQLiteError) in
            royalties[row.int64(0)] = row.int64(1)
        }
        let sql = """
            SELECT seq, outcome, policy, price_version, wall_us, granted_us, billed_wall_us, hold_ucr, compute_ucr,
              royalty_ucr, amount_ucr, algo_version, cpu_us, hold_cpu_us, billed_cpu_us, coalesce(absorbed,0),
              replay_of IS NOT NULL FROM usage
            """
        try each(sql) { (row) throws(SQLiteError) in
            findings.examined += 1
            guard
                let outcome = Outcome(rawValue: row.int(1)), let policy = PayPolicy(rawValue: row.int64(2)),
                let book = books[row.int64(3)]
            else {
                let detail = "outcome \(row.int64(1)), policy \(row.int64(2)), price version \(row.int64(3))"
                return findings.add("usage \(row.int64(0)) cannot be rated: \(detail)")
            }
            // A call admitted before its version's royalty was fixed owes none; what was held tells which it was.
            let fixed = Microcredits(rawValue: royalties[row.int64(11)] ?? 0)
            let granted = Duration.microseconds(row.int64(5))
            let (isAbsorbed, isReplay) = (row.bool(15), row.bool(16))
            if isAbsorbed, !isReplay, !policy.mayAbsorb(outcome) {
                findings.add("usage \(row.int64(0)) (\(outcome.name)): the failure allowance cannot have paid for it")
            }
            let most = book.maximumCharge(wall: granted, royalty: fixed).rawValue
            let royalty = isReplay || row.int64(7) == most ? fixed : .zero
            let hold = isReplay ? 0 : book.maximumCharge(wall: granted, royalty: royalty).rawValue
            let charge = book.charge(
                outcome: outcome,
                wallMicroseconds: min(row.int64(4), row.int64(5)),
                royalty: royalty,
                policy: policy,
                isAbsorbed: isAbsorbed
            )
            let cpu = outcome == .platformFault ? 0 : min(row.int64(12), row.int64(13))
            let due = [charge.billedMicroseconds, charge.compute.rawValue, charge.royalty.rawValue]
            let found = [row.int64(6), row.int64(8), row.int64(9)]
            let isAmountRight = row.int64(10) == charge.amount.rawValue && row.int64(7) == hold
            guard due != found || !isAmountRight || row.int64(14) != cpu else { return }
            findings.add(
                "usage \(row.int64(0)) (\(outcome.name)): billed time, compute and royalty \(found), should be \(due); "
                    + "amount \(row.int64(10)), should be \(charge.amount.rawValue), held \(row.int64(7)), should be \(hold); "
                    + "billed CPU \(row.int64(14)) µs, should be \(cpu)"
            )
        }
    }

    func priceBooksUnchanged(_ findings: inout Findings) throws(SQLiteError) {
        try each("SELECT version, doc, sha256 FROM price_book") { (row) throws(SQLiteError) in
            findings.examined += 1
            let digest = Array(SHA256.hash(data: Array(row.string(1).utf8)))
            if digest != row.bytes(2) { findings.add("price book \(row.int64(0)) is not what was published") }
        }
    }
}
