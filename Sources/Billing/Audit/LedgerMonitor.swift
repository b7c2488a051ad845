import SQLite
import Synchronization

/// Audits a ledger that is in use, a little at a time.
///
/// The first pass looks at everything. Each later one applies every rule to the blocks that are new, compares all balances
/// and counters with sums it has kept, makes sure that the last block it knew is still the same, and looks again at a
/// part of the old blocks, so that a change of any row is found within one round through the ledger. Time is bounded by what
/// is new and ``oldRowsMax``; memory by the accounts and the counters.
public final class LedgerMonitor: Sendable {
    /// What one pass has found and done.
    public struct Pass: Sendable, Equatable {
        /// The findings.
        public let report: AuditReport
        /// Whether it looked at everything.
        public let isWhole: Bool
        /// The last block it looked at.
        public let block: Int64
        /// Old blocks it looked at again.
        public let oldBlocks: Int64
    }

    /// Rows of old blocks in one pass, about: half a second of one core.
    public static let oldRowsMaxDefault: Int64 = 200_000

    private struct State: Sendable {
        var position: WalkPosition
        var moved: [Int64: AccountSums.Moved]
        var counted: [CounterSums.Key: Int64]
        /// The last old block that was looked at again; 0 before the first.
        var reviewed: Int64 = 0
    }

    private let path: String
    private let oldRowsMax: Int64
    private let state = Mutex<State?>(nil)

    /// Prepares to audit a ledger.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - oldRowsMax: rows of old blocks in one pass; a block is never divided.
    public init(path: String, oldRowsMax: Int64 = LedgerMonitor.oldRowsMaxDefault) {
        (self.path, self.oldRowsMax) = (path, oldRowsMax)
    }

    /// Forgets what it knows: the next pass looks at everything.
    public func reset() { state.withLock { $0 = nil } }

    /// Audits what is due, one pass at a time.
    ///
    /// What it kept stays as it was when something is found: the next pass finds it again.
    ///
    /// - Returns: the findings.
    /// - Throws: `LedgerError` with kind `.open` or `.read` when the file cannot be read now, which says nothing of it.
    public func pass() throws(LedgerError) -> Pass {
        defer { Connection.returnFreedMemory() }
        let known = state.withLock { $0 }
        do throws(LedgerError) {
            let (pass, next) = try Ledger.reading(path) { (source, connection) throws(SQLiteError) in
                let audit = Audit(source: source, connection: connection)
                guard let known else { return try self.whole(audit) }
                return try self.part(audit, since: known)
            }
            if pass.report.ok { state.withLock { $0 = next } }
            return pass
        } catch {
            // The file was brought up to date when it was opened: since then somebody has said otherwise in it.
            guard error.kind == .schema else { throw error }
            let report = AuditReport([Findings("the schema is this program's", error.detail)])
            return Pass(report: report, isWhole: false, block: known?.position.block ?? 0, oldBlocks: 0)
        }
    }

    private func whole(_ audit: Audit) throws(SQLiteError) -> (Pass, State?) {
        let (findings, walk) = audit.rulesAndWalk()
        let next = walk.map { State(position: $0.position, moved: $0.moved, counted: $0.counted) }
        let report = AuditReport(findings)
        return (Pass(report: report, isWhole: true, block: next?.position.block ?? 0, oldBlocks: 0), next)
    }

    private func part(_ audit: Audit, since known: State) throws(SQLiteError) -> (Pass, State?) {
        let connection = audit.connection
        let stored = try StoredCounters(connection)
        var walk = try LedgerWalk(connection, from: known.position, counting: stored.scopes)
        try walk.run()
        let new = try walk.finish()
        var next = State(position: new.position, moved: known.moved, counted: [:], reviewed: known.reviewed)
        next.moved.merge(new.moved) { known, new in
            var both = new
            both.add(former: known)
            return both
        }
        next.counted = try stored.sums(known: known.counted, at: known.position, adding: new.counted, connection)

        var totals = Findings("I2 account totals equal transfers")
        try AccountSums(connection).compare(with: next.moved, &totals)
        var counters = Findings("I14 quota counters equal usage")
        stored.compare(with: next.counted, &counters)
        let invocations = audit.rule("I6 one usage record per invocation") { (findings) throws(SQLiteError) in
            try audit.newInvocationsAreNew(after: known.position, &findings)
        }
        let holds = audit.rule("I4 holds on disk end once") { (findings) throws(SQLiteError) in
            try audit.holdsAreSound(newest: self.oldRowsMax, &findings)
        }
        let reversals = audit.rule("I9 reversals swap their legs") { (findings) throws(SQLiteError) in
            try audit.reversalsSwapLegs(after: known.position.ends[1].id, &findings)
        }
        let (old, count) = try review(connection, &next, through: known.position)
        for (account, moved) in old.moved.sorted(by: { $0.key < $1.key }) {
            guard let usage = moved.broken else { continue }
            totals.add("account number \(account): its list of usage records is broken at \(usage)")
        }
        var references = new.references
        try audit.grantsHaveOwners(&references)
        var chain = old.chain
        chain = chain.followed(by: new.chain)
        try audit.isUnchanged(known.position, &chain)
        let findings = [
            audit.rule("I1 sum of all balances is zero", audit.sumIsZero), totals,
            audit.rule("I3 no overdraft", audit.noOverdraft), holds, old.usage.legs.followed(by: new.usage.legs),
            invocations,
            old.usage.rated.followed(by: new.usage.rated),
            audit.rule("I8 price books are unchanged", audit.priceBooksUnchanged), reversals,
            old.order.followed(by: new.order),
            chain,
            counters, old.references.followed(by: references),
        ]
        let report = AuditReport(findings)
        return (Pass(report: report, isWhole: false, block: new.position.block, oldBlocks: count), next)
    }

    /// Looks again at the next old blocks, and begins anew when it has seen the last.
    private func review(
        _ connection: Connection,
        _ next: inout State,
        through last: WalkPosition
    ) throws(SQLiteError) -> (WalkResult, Int64) {
        let start = next.reviewed == 0 ? .start : try WalkPosition(behind: next.reviewed, connection) ?? .start
        var (end, rows) = (start.block, Int64(0))
        let blocks = try connection.prepare("SELECT seq, n FROM block WHERE seq > ? AND seq <= ? ORDER BY seq")
        try blocks.bind(1, start.block)
        try blocks.bind(2, last.block)
        while rows < oldRowsMax, try blocks.step() { (end, rows) = (blocks.int64(0), rows + max(1, blocks.int64(1))) }
        blocks.reset()
        var walk = try LedgerWalk(connection, from: start, counting: [])
        try walk.run(through: end)
        // From the beginning again once it has come to the end: what is recorded meanwhile must not put that off.
        next.reviewed = end >= last.block ? 0 : end
        return (try walk.finish(), end - start.block)
    }
}

extension Audit {
    /// The block up to which everything was checked before must be what it was then.
    fileprivate func isUnchanged(_ position: WalkPosition, _ findings: inout Findings) throws(SQLiteError) {
        guard position.block > 0 else { return }
        let hash = try connection.query("SELECT hash FROM block WHERE seq = ?", .integer(position.block)) {
            (row) throws(SQLiteError) in row.bytes(0)
        }
        guard hash.first != position.head else { return }
        let found = hash.first.map { "hash \(hexadecimal($0))" } ?? "gone"
        findings.add("block \(position.block) had hash \(hexadecimal(position.head)) when it was checked; now \(found)")
    }

    fileprivate func newInvocationsAreNew(after position: WalkPosition, _ findings: inout Findings) throws(SQLiteError)
    {
        let sql = """
            SELECT u.seq, (SELECT count(*) FROM usage o WHERE o.invocation = u.invocation) FROM usage u WHERE u.seq > ?
            """
        let statement = try connection.prepare(sql)
        try statement.bind(1, position.ends[0].id)
        while try statement.step() {
            findings.examined += 1
            let count = statement.int64(1)
            if count != 1 { findings.add("usage \(statement.int64(0)): its invocation has \(count) usage records") }
        }
    }
}

extension StoredCounters {
    /// What the stored counters should be now.
    ///
    /// - Parameters:
    ///   - known: the sums up to a position.
    ///   - position: that position.
    ///   - new: the sums of what came after it.
    ///   - connection: reads the usage that a counter set since then must have counted from before.
    /// - Returns: a sum for each stored counter.
    /// - Throws: `SQLiteError`.
    fileprivate func sums(
        known: [CounterSums.Key: Int64],
        at position: WalkPosition,
        adding new: [CounterSums.Key: Int64],
        _ connection: Connection
    ) throws(SQLiteError) -> [CounterSums.Key: Int64] {
        var sums: [CounterSums.Key: Int64] = [:]
        for key in used.keys {
            guard let window = key.metric.window else { continue }
            // A number that nobody could have counted to has no beginning either.
            guard (0...1_000_000).contains(key.window) else {
                sums[key] = 0
                continue
            }
            var before = known[key] ?? 0
            // CPU time that nobody pays for is counted from its first microsecond on, quota or not.
            if known[key] == nil, key.metric != .unpaidCPUDay, window.start(of: key.window) <= position.time {
                before = try Self.sum(of: key, in: window, through: position, connection)
            }
            sums[key] = before &+ (new[key] ?? 0)
        }
        return sums
    }

    private static func sum(
        of key: CounterSums.Key,
        in window: CalendarWindow,
        through position: WalkPosition,
        _ connection: Connection
    ) throws(SQLiteError) -> Int64 {
        let sql = """
            SELECT a.owner, u.api_key, u.algorithm, sum(u.amount_ucr), sum(u.billed_cpu_us)
            FROM usage u JOIN account a ON a.id = u.payer WHERE u.seq <= ? AND u.ts_us >= ? AND u.ts_us < ?
            GROUP BY u.payer, u.api_key, u.algorithm
            """
        let statement = try connection.prepare(sql)
        try statement.bind(1, position.ends[0].id)
        try statement.bind(2, window.start(of: key.window))
        try statement.bind(3, window.start(of: key.window + 1))
        var sum: Int64 = 0
        while try statement.step() {
            let (owner, keyID, algorithm) = (statement.string(0), statement.string(1), statement.string(2))
            guard QuotaScope.matching(account: owner, keyID: keyID, algorithm: algorithm).contains(key.scope) else {
                continue
            }
            sum &+= statement.int64(key.metric == .cpuSecondsMonth ? 4 : 3)
        }
        return sum
    }
}
