import SQLite

extension LedgerFile {
    /// Corrects a caller's credit by hand, up or down; what running calls hold cannot be taken.
    func record(_ order: Adjustment) throws(SQLiteError) -> Result<Answer, LedgerError> {
        guard let account = callers[order.account] else { return .failure(LedgerError(.accountUnknown, order.account)) }
        let other = platform(.adjustment)
        if let known = try find(reference: order.ref) {
            let side = order.amount > 0 ? known.credit : known.debit
            let isSame = known.code == TransferCode.adjustment.rawValue && accounts[Int(side)]?.owner == order.account
            let amount = try corrected(by: order.ref)
            guard isSame, amount == abs(order.amount) else { return .failure(.reference(order.ref, names: known)) }
            return .success(.done)
        }
        if order.amount > 0 {
            if let refusal = objection(toPaying: account) { return .failure(refusal) }
            guard other.debits <= Self.grossMax - order.amount else { return .failure(.gross("corrections")) }
            try transfer(
                from: other,
                to: account,
                amount: order.amount,
                code: .adjustment,
                usage: nil,
                ref: order.ref,
                actor: order.actor
            )
        } else {
            let free = takeBack(order.account, -order.amount, ledgerMicroseconds)
            guard free == -order.amount else {
                note(account)
                let words = "account \(order.account) has \(Microcredits(rawValue: free)) credits that no call holds"
                return .failure(LedgerError(.invalid, "\(words), less than \(Microcredits(rawValue: -order.amount))"))
            }
            try draw(free, from: account, to: other, code: .adjustment, usage: nil, ref: order.ref, actor: order.actor)
        }
        try log(
            actor: order.actor,
            verb: "credit adjust",
            subject: order.account,
            before: nil,
            after: "\(order.amount) microcredits: \(order.reason)"
        )
        return .success(.done)
    }

    /// How much a correction moved: its first leg carries the reference, the others follow it.
    private func corrected(by reference: String) throws(SQLiteError) -> Int64 {
        let sql = """
            SELECT t.amount, t.id > f.id AND (t.ref IS NOT NULL OR t.code <> f.code) FROM transfer f
            JOIN transfer t ON t.id >= f.id WHERE f.ref = ? ORDER BY t.id
            """
        let statement = try connection.prepare(sql)
        try statement.bind(1, Array(reference.utf8))
        var sum: Int64 = 0
        while try statement.step(), !statement.bool(1) { sum += statement.int64(0) }
        statement.reset()
        return sum
    }

    /// Reverses every leg of a charge, once.
    func record(_ order: Refund) throws(SQLiteError) -> Result<Answer, LedgerError> {
        guard let charge = try charge(of: order.invocation) else {
            return .failure(LedgerError(.notFound, "invocation \(order.invocation) has no usage record"))
        }
        let legs = try legs(of: charge.sequence, block: charge.block)
        guard !legs.isEmpty else {
            return .failure(LedgerError(.invalid, "invocation \(order.invocation) cost nothing"))
        }
        for leg in legs {
            guard let from = accounts[Int(leg.credit)] ?? nil, let to = accounts[Int(leg.debit)] ?? nil else {
                continue
            }
            do throws(SQLiteError) {
                let code = TransferCode.refund
                try transfer(
                    from: from,
                    to: to,
                    amount: leg.amount,
                    code: code,
                    usage: nil,
                    reverses: leg.id,
                    actor: order.actor
                )
            } catch {
                // The first leg of a charge that was reversed before; nothing has been written for this one.
                guard error.isUniqueViolation else { throw error }
                return .failure(LedgerError(.conflict, "invocation \(order.invocation) has been refunded before"))
            }
            if let expires = to.expires { nextExpiry = min(nextExpiry, expires) }
        }
        try log(
            actor: order.actor,
            verb: "credit refund",
            subject: "\(order.invocation)",
            before: nil,
            after: "\(legs.reduce(0) { $0 + $1.amount }) microcredits: \(order.reason)"
        )
        return .success(.done)
    }

    private func charge(of invocation: InvocationID) throws(SQLiteError) -> (sequence: Int64, block: Int64)? {
        try connection.query("SELECT seq, block FROM usage WHERE invocation = ?", .blob(invocation.bytes)) {
            (row) throws(SQLiteError) in (row.int64(0), row.int64(1))
        }
        .first
    }

    /// The legs of a charge: they lie in its block, whose first and last transfer are known.
    private func legs(of usage: Int64, block: Int64) throws(SQLiteError) -> [KnownTransfer] {
        let sql = """
            SELECT t.id, t.dr, t.cr, t.amount, t.code FROM block b
            JOIN transfer t ON t.id BETWEEN b.first_transfer AND b.last_transfer
            WHERE b.seq = ? AND t.usage_seq = ? ORDER BY t.id
            """
        return try connection.query(sql, .integer(block), .integer(usage)) { (row) throws(SQLiteError) in
            KnownTransfer(
                id: row.int64(0),
                debit: row.int64(1),
                credit: row.int64(2),
                amount: row.int64(3),
                code: row.int64(4)
            )
        }
    }
}
