import SQLite

/// The rules that look at single usage records and their transfers.
struct UsageRules {
    /// What is found, and what will be looked at again when the whole is known.
    struct Found: Sendable {
        var legs = Findings("I5 usage equals its transfers")
        var rated = Findings("I7 usage re-rated from price book and policy")
        var invocations = InvocationSum()
        /// Records whose legs did not fit when their block ended.
        var suspects: [Int64: Legs] = [:]
        /// Legs whose record is not in their block.
        var strays: [(leg: TransferRow, kind: Int64?)] = []
    }

    private(set) var found = Found()
    var counters: CounterSums
    private let rater: Rater
    private let usageColumns: UsageRow.Columns
    private let transferColumns: TransferRow.Columns
    private let lookup: UsageLookup
    /// The usage records of the block, with the legs found so far.
    private var open: [Legs] = []

    /// Prepares the rules.
    ///
    /// - Parameters:
    ///   - connection: reads price books, royalties and records that are not where they should be.
    ///   - usage: whose rows will be visited.
    ///   - transfers: whose rows will be visited.
    ///   - counters: count the records.
    /// - Throws: `SQLiteError`.
    init(
        connection: Connection,
        usage: borrowing Statement,
        transfers: borrowing Statement,
        counters: CounterSums
    ) throws(SQLiteError) {
        rater = try Rater(connection)
        usageColumns = try UsageRow.Columns(usage)
        transferColumns = try TransferRow.Columns(transfers)
        lookup = try UsageLookup(connection)
        self.counters = counters
    }

    /// Looks at the usage record under a cursor.
    mutating func visitUsage(_ cursor: RowCursor, accounts: inout AccountSums, _ references: inout Findings) {
        let usage = UsageRow(cursor.rows, usageColumns)
        rater.check(usage, &found.rated)
        found.legs.examined += 1
        references.examined += 3
        let terms = rater.royalties[usage.version]
        open.append(Legs(usage, terms, isAuthorKnown: isAuthorKnown(terms, accounts)))
        cursor.statement.withBytes(usageColumns.invocation) { found.invocations.add($0, sequence: usage.sequence) }
        let place = accounts.place(of: usage.payer)
        if place == nil { references.add("usage \(usage.sequence): payer \(usage.payer) is not in account") }
        if rater.books[usage.priceVersion] == nil {
            references.add("usage \(usage.sequence): price_version \(usage.priceVersion) is not in price_book")
        }
        if terms == nil, usage.royalty > 0 {
            references.add("usage \(usage.sequence): version \(usage.version) has no royalty")
        }
        if let place { accounts.list(place, usage: usage.sequence, after: usage.previous) }
        guard !counters.isEmpty, let place else { return }
        cursor.statement.withBytes(usageColumns.key) { key in
            cursor.statement.withBytes(usageColumns.algorithm) { algorithm in
                counters.add(
                    owner: accounts.rows[place].owner,
                    payer: usage.payer,
                    key: key,
                    algorithm: algorithm,
                    amount: usage.amount,
                    cpu: usage.billedCPU,
                    time: usage.time
                )
                guard let unpaid = usage.unpaid, unpaid.microseconds > 0 else { return }
                counters.add(
                    unpaid: unpaid.microseconds,
                    by: unpaid.by,
                    owner: accounts.rows[place].owner,
                    algorithm: String(decoding: algorithm, as: UTF8.self)
                )
            }
        }
    }

    /// Looks at the transfer under a cursor.
    mutating func visitTransfer(_ cursor: RowCursor, accounts: inout AccountSums, _ references: inout Findings) {
        var transfer = TransferRow(cursor.rows, transferColumns)
        references.examined += 4
        let (debit, credit) = (accounts.place(of: transfer.debit), accounts.place(of: transfer.credit))
        if let debit {
            transfer.payer = accounts.rows[debit].parent ?? transfer.debit
            accounts.debit(debit, transfer.amount, isCharge: transfer.usage != nil)
        } else {
            references.add("transfer \(transfer.id): dr \(transfer.debit) is not in account")
        }
        if let credit {
            accounts.credit(credit, transfer.amount)
        } else {
            references.add("transfer \(transfer.id): cr \(transfer.credit) is not in account")
        }
        if (transfer.usage == nil) == (200...299).contains(transfer.code) {
            found.legs.add(
                "transfer \(transfer.id) of \(transfer.amount) microcredits: code \(transfer.code) and usage disagree"
            )
        }
        guard let usage = transfer.usage else { return }
        let kind = credit.map { accounts.rows[$0].kind }
        guard let place = place(of: usage) else { return found.strays.append((transfer, kind)) }
        open[place].add(transfer, creditedKind: kind)
    }

    private func isAuthorKnown(_ terms: Rater.Terms?, _ accounts: AccountSums) -> Bool {
        terms.map { accounts.place(of: $0.authorAccount) != nil } ?? false
    }

    /// Where a record of the block stands: sequences are dense, unless somebody has changed them.
    private func place(of sequence: Int64) -> Int? {
        guard let first = open.first else { return nil }
        let (place, overflow) = sequence.subtractingReportingOverflow(first.usage.sequence)
        if !overflow, place >= 0, place < open.count, open[Int(place)].usage.sequence == sequence { return Int(place) }
        return open.firstIndex { $0.usage.sequence == sequence }
    }

    /// Ends a block: records that have their legs are forgotten.
    mutating func finishBlock() {
        for legs in open where !legs.isRight { found.suspects[legs.usage.sequence] = legs }
        open.removeAll(keepingCapacity: true)
    }

    /// Brings together what was not in one block, and lists what does not fit.
    ///
    /// - Parameters:
    ///   - former: what was found in the blocks before those visited.
    ///   - accounts: tells the kinds of accounts.
    ///   - references: is told of legs whose record does not exist.
    /// - Throws: `SQLiteError`.
    mutating func finish(
        after former: Found,
        accounts: AccountSums,
        _ references: inout Findings
    ) throws(SQLiteError) {
        found.legs.prepend(former.legs)
        found.rated.prepend(former.rated)
        found.invocations.add(former.invocations)
        var suspects = found.suspects.merging(former.suspects) { first, _ in first }
        for (leg, kind) in former.strays + found.strays {
            guard let sequence = leg.usage else { continue }
            if suspects[sequence] == nil {
                guard let usage = try lookup.usage(sequence) else {
                    references.add("transfer \(leg.id): usage_seq \(sequence) is not in usage")
                    continue
                }
                let terms = rater.royalties[usage.version]
                suspects[sequence] = Legs(complete: usage, terms, isAuthorKnown: isAuthorKnown(terms, accounts))
            }
            suspects[sequence]?.add(leg, creditedKind: kind)
        }
        (found.strays, found.suspects) = ([], [:])
        for (_, legs) in suspects.sorted(by: { $0.key < $1.key }) where !legs.isRight { found.legs.add(legs.detail) }
    }
}

/// Looks up single records.
private final class UsageLookup {
    private let statement: Statement
    private let columns: UsageRow.Columns

    init(_ connection: Connection) throws(SQLiteError) {
        statement = try connection.prepare("SELECT * FROM usage WHERE seq = ?")
        columns = try UsageRow.Columns(statement)
    }

    func usage(_ sequence: Int64) throws(SQLiteError) -> UsageRow? {
        try statement.bind(1, sequence)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        var row = RowBytes()
        row.append(statement)
        return UsageRow(row, columns)
    }
}
