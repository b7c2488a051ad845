import SQLite

extension Audit {
    /// A part of the rules, or the rules over a part of the blocks.
    ///
    /// - Throws: `SQLiteError`, also when there is no such block.
    func report(_ wish: AuditWish) throws(SQLiteError) -> AuditReport {
        var heads = Findings("exported heads")
        if !wish.heads.isEmpty { try check(wish.heads, trusting: wish.trustedKey, &heads) }
        let exported = wish.heads.isEmpty ? [] : [heads]
        if wish.scope == .everything, wish.fromBlock <= 1 { return AuditReport(rules() + exported) }
        guard let start = wish.fromBlock <= 1 ? .start : try WalkPosition(behind: wish.fromBlock - 1, connection) else {
            return AuditReport([Findings("I11 block chain", "there is no block \(wish.fromBlock - 1) to begin behind")])
        }
        var walk = try LedgerWalk(connection, from: start, counting: [])
        try walk.run()
        let result = try walk.finish()
        switch wish.scope {
        case .rates: return AuditReport([result.usage.rated] + exported)
        case .chain: return AuditReport([result.order, result.chain] + exported)
        case .everything:
            return AuditReport(
                [
                    rule("I1 sum of all balances is zero", sumIsZero), rule("I3 no overdraft", noOverdraft),
                    result.usage.legs, result.usage.rated, rule("I8 price books are unchanged", priceBooksUnchanged),
                    result.order, result.chain, result.references,
                ] + exported
            )
        }
    }

    /// A head that is not in the chain shows that its end was cut off, or rewritten from some block on.
    func check(_ heads: [SignedHead], trusting key: String?, _ findings: inout Findings) throws(SQLiteError) {
        let last = try connection.query("SELECT max(seq) FROM block") { (row) throws(SQLiteError) in row.int64(0) }
        for head in heads {
            findings.examined += 1
            if let fault = head.fault(trusting: key) { findings.add("the head of block \(head.block): \(fault)") }
            let found = try connection.query("SELECT hash, ts_us FROM block WHERE seq = ?", .integer(head.block)) {
                (row) throws(SQLiteError) in (hash: hexadecimal(row.bytes(0)), time: row.int64(1))
            }
            guard let found = found.first else {
                findings.add("block \(head.block) was exported, and the chain ends with block \(last.first ?? 0)")
                continue
            }
            if found.hash != head.hash.lowercased() || found.time != head.timeMicroseconds {
                let time = iso8601(microseconds: found.time)
                findings.add(
                    "block \(head.block) was exported with hash \(head.hash) of \(head.time); it has \(found.hash) of \(time)"
                )
            }
        }
    }
}

extension Ledger {
    /// Checks a part of a ledger file; see ``audit(path:)``.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - wish: what to look at.
    /// - Returns: the findings.
    /// - Throws: `LedgerError` with kind `.open` or `.read`.
    public static func audit(path: String, _ wish: AuditWish) throws(LedgerError) -> AuditReport {
        try reading(path) { (source, connection) throws(SQLiteError) in
            try Audit(source: source, connection: connection).report(wish)
        }
    }

    /// The last block of a ledger file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - key: signs it; nil for a head that is not signed.
    /// - Returns: the head; nil for a ledger without blocks.
    /// - Throws: `LedgerError` with kind `.open` or `.read`.
    public static func head(path: String, key: HeadKey?) throws(LedgerError) -> SignedHead? {
        let found = try reading(path, anySchema: true) { (_, connection) throws(SQLiteError) in
            try connection.query("SELECT seq, hash, ts_us FROM block ORDER BY seq DESC LIMIT 1") {
                (row) throws(SQLiteError) in (row.int64(0), row.bytes(1), row.int64(2))
            }.first
        }
        guard let (block, hash, time) = found else { return nil }
        return try SignedHead(block: block, hash: hash, timeMicroseconds: time, key: key)
    }

    /// Reads a file at one moment; one of another release only where what is read is the same in all of them.
    static func reading<Result>(
        _ path: String,
        anySchema: Bool = false,
        _ body: (LedgerSource, Connection) throws(SQLiteError) -> Result
    ) throws(LedgerError) -> Result {
        let schema: Int
        do throws(SQLiteError) {
            let source = try LedgerSource(path: path)
            let connection = try source.open()
            schema = try connection.appliedMigrations()
            if anySchema || schema == Schema.migrations.count { return try body(source, connection) }
        } catch {
            throw LedgerError(error.step == .open ? .open : .read, path, cause: error)
        }
        throw .otherSchema(schema, path)
    }
}

extension LedgerError {
    fileprivate static func otherSchema(_ found: Int, _ path: String) -> LedgerError {
        let needed = Schema.migrations.count
        let when = found < needed ? "an earlier" : "a later"
        let words = "this program reads \(needed): read it with the release that wrote it, \(when) one"
        return LedgerError(.schema, "\(path) has schema \(found), \(words)")
    }
}
