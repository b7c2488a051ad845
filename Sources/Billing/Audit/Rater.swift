import SQLite

/// The price books and royalties that records are priced from again.
struct Rater {
    /// The royalty of one version.
    struct Terms: Sendable {
        let perCall: Int64
        let authorBasisPoints: Int64
        let authorAccount: Int64
        /// The author's and the platform's part of a call's royalty; nil when the terms are impossible.
        let parts: (author: Int64, fee: Int64)?
    }

    /// Price books by version; nil when the document is none.
    let books: [Int64: PriceBook?]
    let royalties: [Int64: Terms]

    init(_ connection: Connection) throws(SQLiteError) {
        var books: [Int64: PriceBook?] = [:]
        let documents = try connection.query("SELECT version, doc FROM price_book") { (row) throws(SQLiteError) in
            (row.int64(0), row.string(1))
        }
        for (version, document) in documents { books.updateValue(Self.book(document), forKey: version) }
        self.books = books
        let terms = try connection.query("SELECT algo_version, per_call_ucr, author_bps, author FROM royalty") {
            (row) throws(SQLiteError) in
            (row.int64(0), Self.terms(perCall: row.int64(1), share: row.int64(2), author: row.int64(3)))
        }
        royalties = Dictionary(terms) { first, _ in first }
    }

    /// A stored document that somebody has changed may hold prices that no price book can have.
    private static func book(_ document: String) -> PriceBook? {
        guard let book = PriceBook(document: document) else { return nil }
        return try? PriceBook(
            computePicocreditsPerMicrosecond: book.computePicocreditsPerMicrosecond,
            incrementMicroseconds: book.incrementMicroseconds,
            perCallMicrocredits: book.perCallMicrocredits,
            feeBasisPoints: book.feeBasisPoints
        )
    }

    private static func terms(perCall: Int64, share: Int64, author: Int64) -> Terms {
        let isPossible = (0...Microcredits.maximum.rawValue).contains(perCall) && (0...10_000).contains(share)
        let parts = isPossible ? split(perCall, weights: [share, 10_000 - share]) : nil
        return Terms(
            perCall: perCall,
            authorBasisPoints: share,
            authorAccount: author,
            parts: parts.map { ($0[0], $0[1]) }
        )
    }

    /// What a record should say.
    struct Due {
        let outcome: Outcome
        let billed: Int64
        let compute: Int64
        let royalty: Int64
        let hold: Int64
        let cpu: Int64
    }

    /// Prices a record again; nil when its outcome, policy, price book or royalty is none.
    func rate(_ row: UsageRow) -> Due? {
        guard
            let outcome = Outcome(rawValue: Int(row.outcome)), let policy = PayPolicy(rawValue: row.policy),
            let book = books[row.priceVersion] ?? nil
        else { return nil }
        // A call admitted before its version's royalty was fixed owes none; what was held tells which it was.
        var royalty = Microcredits.zero
        var hold = row.isReplay ? 0 : worst(book, row, .zero)
        if row.isAbsorbed, !row.isReplay, !policy.mayAbsorb(outcome) { return nil }
        if !row.isReplay, let terms = royalties[row.version], terms.perCall != 0 {
            guard terms.parts != nil else { return nil }
            let held = worst(book, row, Microcredits(rawValue: terms.perCall))
            if held == row.hold { (royalty, hold) = (Microcredits(rawValue: terms.perCall), held) }
        }
        let charge = book.charge(
            outcome: outcome,
            wallMicroseconds: min(row.wall, row.granted),
            royalty: royalty,
            policy: policy,
            isAbsorbed: row.isAbsorbed
        )
        return Due(
            outcome: outcome,
            billed: charge.billedMicroseconds,
            compute: charge.compute.rawValue,
            royalty: charge.royalty.rawValue,
            hold: hold,
            cpu: outcome == .platformFault ? 0 : min(row.cpu, row.holdCPU)
        )
    }

    private func worst(_ book: PriceBook, _ row: UsageRow, _ royalty: Microcredits) -> Int64 {
        book.charge(outcome: .ok, wallMicroseconds: row.granted, royalty: royalty, policy: .current).amount.rawValue
    }

    func check(_ row: UsageRow, _ findings: inout Findings) {
        findings.examined += 1
        guard let due = rate(row) else {
            let detail =
                "outcome \(row.outcome), policy \(row.policy)\(row.isAbsorbed ? ", absorbed" : ""), price version \(row.priceVersion)"
            return findings.add("usage \(row.sequence) cannot be rated: \(detail), algorithm version \(row.version)")
        }
        let isRight =
            row.billedWall == due.billed && row.compute == due.compute && row.royalty == due.royalty
            && row.amount == due.compute &+ due.royalty && row.hold == due.hold && row.billedCPU == due.cpu
        guard !isRight else { return }
        findings.add(
            "usage \(row.sequence) (\(due.outcome.name)): billed time, compute and royalty "
                + "\([row.billedWall, row.compute, row.royalty]), should be \([due.billed, due.compute, due.royalty]); "
                + "amount \(row.amount), should be \(due.compute &+ due.royalty), held \(row.hold), should be \(due.hold); "
                + "billed CPU \(row.billedCPU) µs, should be \(due.cpu)"
        )
    }
}
