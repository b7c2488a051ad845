import SQLite

extension Ledger {
    /// Explains one call.
    ///
    /// Recalculates the charge, and checks the whole block that holds it. Blocks the calling thread for the read.
    ///
    /// - Parameters:
    ///   - path: the ledger file.
    ///   - id: the call.
    /// - Returns: the explanation; nil when there is no such call.
    /// - Throws: `LedgerError` with kind `.open` or `.read`.
    public static func explain(path: String, _ id: InvocationID) throws(LedgerError) -> CallExplanation? {
        try reading(path) { (_, connection) throws(SQLiteError) in
            guard let usage = try Self.usage(id, connection) else { return nil }
            let statement = try connection.prepare("SELECT * FROM usage WHERE invocation = ?")
            try statement.bind(1, id.bytes)
            guard try statement.step() else { return nil }
            var bytes = RowBytes()
            bytes.append(statement)
            let row = UsageRow(bytes, try UsageRow.Columns(statement))
            return try Explainer(connection, usage, row).explanation()
        }
    }
}

/// Puts together what there is about one usage record.
private struct Explainer {
    let connection: Connection
    let usage: Usage
    let row: UsageRow
    let rater: Rater

    init(_ connection: Connection, _ usage: Usage, _ row: UsageRow) throws(SQLiteError) {
        (self.connection, self.usage, self.row) = (connection, usage, row)
        rater = try Rater(connection)
    }

    func explanation() throws(SQLiteError) -> CallExplanation {
        let policy = PayPolicy(rawValue: row.policy)
        let outcome = Outcome(rawValue: Int(row.outcome))
        let pays = { (rule: (PayPolicy, Outcome) -> Bool) in
            policy.flatMap { p in outcome.map { rule(p, $0) } } ?? false
        }
        let (paysCompute, paysRoyalty) = (
            pays { $0.callerPaysCompute($1) }, pays { $0.callerPaysRoyalty($1) }
        )
        return CallExplanation(
            usage: usage,
            sequence: row.sequence,
            policy: row.policy,
            callerPaysCompute: paysCompute,
            callerPaysRoyalty: paysRoyalty,
            lines: lines(paysCompute: paysCompute, paysRoyalty: paysRoyalty),
            transfers: try transfers(),
            block: try block(),
            differences: try differences()
        )
    }

    private func lines(paysCompute: Bool, paysRoyalty: Bool) -> [CallExplanation.Line] {
        guard let due = rater.rate(row), let book = rater.books[row.priceVersion] ?? nil else { return [] }
        let terms = rater.royalties[row.version]
        let (rate, step, perCall) = (
            book.computePicocreditsPerMicrosecond, book.incrementMicroseconds, book.perCallMicrocredits
        )
        let charged = min(row.wall, row.granted)
        let product = Int128(due.billed) * Int128(rate)
        let who = paysCompute ? "the caller pays" : "the platform pays"
        let shares = terms.flatMap { due.royalty > 0 ? $0.parts : nil } ?? (0, 0)
        let share = terms?.authorBasisPoints ?? 0
        let earner = paysRoyalty ? "on success" : "nothing, the call did not succeed"
        return [
            line("time run", "measured", row.wall, "µs", row.wall),
            line("time granted", "what the hold paid for", row.granted, "µs", row.granted),
            line("time charged", "the smaller of \(row.wall) and \(row.granted); \(who)", charged, "µs"),
            line("quantity", "rounded up to a multiple of \(step) µs; 0 if free", due.billed, "µs", row.billedWall),
            line("rate", "price book \(row.priceVersion)", rate, "picocredits per µs"),
            line("compute, exact", "\(due.billed) × \(rate)", product, "picocredits"),
            line(
                "per call",
                paysCompute ? "price book \(row.priceVersion)" : "not charged",
                paysCompute ? perCall : 0,
                µcr
            ),
            line("compute", "exact ÷ 10⁶ and per call, rounded down once", due.compute, µcr, row.compute),
            line("royalty", "per call, \(earner)", due.royalty, µcr, row.royalty),
            line("to the author", "\(share) of 10,000 parts of the royalty", shares.author, µcr),
            line("to the platform", "the rest of the royalty", shares.fee, µcr),
            line("held", "the worst case: success after \(row.granted) µs", due.hold, µcr, row.hold),
            line("amount", "compute and royalty", due.compute &+ due.royalty, µcr, row.amount),
            line("given back", "held less amount", due.hold &- due.compute &- due.royalty, µcr),
            line("CPU time counted", "measured \(row.cpu), at most \(row.holdCPU)", due.cpu, "µs", row.billedCPU),
        ]
    }

    private var µcr: String { "microcredits" }

    private func line(
        _ name: String,
        _ how: String,
        _ value: some BinaryInteger,
        _ unit: String,
        _ recorded: Int64? = nil
    ) -> CallExplanation.Line {
        .init(name: name, how: how, value: "\(value)", unit: unit, recorded: recorded.map { "\($0)" })
    }

    private func transfers() throws(SQLiteError) -> [CallExplanation.Transfer] {
        // Only this block can hold them: elsewhere they are a difference, which the audit of the whole finds.
        let sql = """
            SELECT t.id, d.owner, d.kind, c.owner, c.kind, t.amount, t.code FROM transfer t
            LEFT JOIN account d ON d.id = t.dr LEFT JOIN account c ON c.id = t.cr
            WHERE t.usage_seq = ? AND t.id >= ? AND t.id <= ? ORDER BY t.id
            """
        let range = try connection.query(
            "SELECT first_transfer, last_transfer FROM block WHERE seq = ?",
            .integer(row.block)
        ) { (row) throws(SQLiteError) in (row.int64(0), row.int64(1)) }
        guard let (first, last) = range.first else { return [] }
        return try connection.query(sql, .integer(row.sequence), .integer(first), .integer(last)) {
            (row) throws(SQLiteError) in
            CallExplanation.Transfer(
                id: row.int64(0),
                from: Self.name(row.string(1), row.int64(2)),
                to: Self.name(row.string(3), row.int64(4)),
                amount: row.int64(5),
                code: TransferCode(rawValue: row.int64(6)).map { "\($0)" } ?? "\(row.int64(6))"
            )
        }
    }

    private static func name(_ owner: String, _ kind: Int64) -> String {
        let kindName = AccountKind(rawValue: kind).map { "\($0)" } ?? "kind \(kind)"
        return owner.isEmpty ? kindName : "\(owner) (\(kindName))"
    }

    private func block() throws(SQLiteError) -> CallExplanation.Block? {
        try connection.query("SELECT seq, hash, ts_us FROM block WHERE seq = ?", .integer(row.block)) {
            (row) throws(SQLiteError) in
            CallExplanation.Block(
                number: row.int64(0),
                hash: hexadecimal(row.bytes(1)),
                time: iso8601(microseconds: row.int64(2))
            )
        }.first
    }

    /// The block with all its rows, checked as an audit does; what concerns other calls of it is left out.
    private func differences() throws(SQLiteError) -> [String] {
        guard let start = row.block <= 1 ? .start : try WalkPosition(behind: row.block - 1, connection) else {
            return ["usage \(row.sequence): block \(row.block) does not follow another"]
        }
        var walk = try LedgerWalk(connection, from: start, counting: [])
        try walk.run(through: row.block)
        let result = try walk.finish()
        let all = [result.usage.legs, result.usage.rated, result.order, result.chain, result.references]
        return AuditReport(all).violations.map(\.detail).filter { detail in
            !detail.hasPrefix("usage ") || detail.hasPrefix("usage \(row.sequence):")
                || detail.hasPrefix("usage \(row.sequence) ")
        }
    }
}
