import SQLite

/// One audit: every rule, each checked even if others fail.
///
/// Three threads with a connection each: two walk through the blocks and their rows with all rules that look at rows, the
/// third checks the file's own structure and the index that keeps invocations apart.
struct Audit {
    /// Usage records from which on two threads share the walk.
    static let recordsShared: Int64 = 20_000

    let source: LedgerSource
    let connection: Connection
    var recordsShared = Audit.recordsShared

    /// All rules, over the whole ledger.
    func rules() -> [Findings] { rulesAndWalk().findings }

    /// The same, with what the walk added up; nil when it could not go to its end.
    func rulesAndWalk() -> (findings: [Findings], walk: WalkResult?) {
        let last = try? connection.query("SELECT max(seq) FROM usage") { (row) throws(SQLiteError) in row.int64(0) }
        let records = last?.first ?? 0
        let file = SecondThread { [source] in
            do throws(SQLiteError) {
                return FileChecks(try source.open(), through: records)
            } catch {
                return FileChecks(unreadable: error)
            }
        }
        let walk = WalkFindings(source, connection, sharing: records >= recordsShared ? records : 0)
        let (zero, overdraft) = (
            rule("I1 sum of all balances is zero", sumIsZero), rule("I3 no overdraft", noOverdraft)
        )
        let books = rule("I8 price books are unchanged", priceBooksUnchanged)
        var references = walk.references
        check(&references, authorsExist)
        check(&references, grantsHaveOwners)
        let checked = file.value()
        let single = rule("I6 one usage record per invocation") { (findings) throws(SQLiteError) in
            try oneUsagePerInvocation(walk.invocations, checked, &findings)
        }
        let findings = [
            checked.integrity, zero, walk.totals, overdraft,
            rule("I4 holds on disk end once") { (findings) throws(SQLiteError) in try holdsAreSound(&findings) },
            walk.legs,
            single, walk.rated, books,
            rule("I9 reversals swap their legs") { (findings) throws(SQLiteError) in try reversalsSwapLegs(&findings) },
            walk.order, walk.chain,
            rule("I12 idempotency keys have their calls", keysHaveUsage), walk.counters, references,
        ]
        return (findings, walk.result)
    }

    func rule(_ name: String, _ body: (inout Findings) throws(SQLiteError) -> Void) -> Findings {
        var findings = Findings(name)
        check(&findings, body)
        return findings
    }

    private func check(_ findings: inout Findings, _ body: (inout Findings) throws(SQLiteError) -> Void) {
        do throws(SQLiteError) { try body(&findings) } catch { findings.add("could not be checked: \(error)") }
    }

    /// Runs a query and hands each row to a closure.
    func each(_ sql: String, _ body: (borrowing Statement) throws(SQLiteError) -> Void) throws(SQLiteError) {
        let statement = try connection.prepare(sql)
        while try statement.step() { try body(statement) }
    }
}

/// What a walk from the first block to the last has found, rule by rule.
struct WalkFindings {
    var totals = Findings("I2 account totals equal transfers")
    var legs = Findings("I5 usage equals its transfers")
    var rated = Findings("I7 usage re-rated from price book and policy")
    var order = Findings("I10 dense ids and monotone time")
    var chain = Findings("I11 block chain")
    var counters = Findings("I14 quota counters equal usage")
    var references = Findings("foreign references")
    var invocations = InvocationSum()
    private(set) var result: WalkResult?

    /// Walks.
    ///
    /// - Parameters:
    ///   - source: where another thread gets a connection from.
    ///   - connection: sees the ledger of one moment.
    ///   - records: how many usage records two threads share; 0 for one thread.
    init(_ source: LedgerSource, _ connection: Connection, sharing records: Int64) {
        do throws(SQLiteError) {
            let stored = try StoredCounters(connection)
            let result = try Self.walk(source, connection, records, counting: stored.scopes)
            self.result = result
            (legs, rated) = (result.usage.legs, result.usage.rated)
            (order, chain, references) = (result.order, result.chain, result.references)
            invocations = result.usage.invocations
            try AccountSums(connection).compare(with: result.moved, &totals)
            stored.compare(with: result.counted, &counters)
        } catch {
            let detail = "could not be checked: \(error)"
            for rule in [\Self.totals, \.legs, \.rated, \.order, \.chain, \.counters, \.references] {
                self[keyPath: rule].add(detail)
            }
        }
    }

    /// One thread walks from the beginning to the middle, this one from there to the end; when they do not meet, because
    /// somebody has changed what lies in between, this one walks the whole way.
    private static func walk(
        _ source: LedgerSource,
        _ connection: Connection,
        _ records: Int64,
        counting scopes: Set<String>
    ) throws(SQLiteError) -> WalkResult {
        if records > 1, let middle = try middle(connection, records) {
            let first = SecondThread { () -> WalkResult? in
                guard let other = try? source.open(), var walk = try? LedgerWalk(other, counting: scopes) else {
                    return nil
                }
                return (try? walk.run(through: middle.block)).map { walk.handOver() }
            }
            var walk = try? LedgerWalk(connection, from: middle, counting: scopes)
            let isDone = (try? walk?.run()) != nil
            if let former = first.value(), isDone, former.position == middle,
                let result = try walk?.finish(after: former)
            {
                return result
            }
        }
        var walk = try LedgerWalk(connection, counting: scopes)
        try walk.run()
        return try walk.finish()
    }

    private static func middle(_ connection: Connection, _ records: Int64) throws(SQLiteError) -> WalkPosition? {
        let sql = "SELECT block FROM usage WHERE seq = ?"
        let block = try connection.query(sql, .integer(records / 2)) { (row) throws(SQLiteError) in row.int64(0) }
        guard let block = block.first else { return nil }
        return try WalkPosition(behind: block, connection)
    }
}
