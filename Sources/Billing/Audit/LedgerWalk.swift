import Crypto
import SQLite

/// One pass through the blocks and their rows, in order, with every rule that looks at rows.
///
/// Memory is bounded by the largest block, the accounts and the counters, not by the length of the ledger; what does not
/// fit together at once is remembered until the end, and there is nothing of that in a ledger that is right.
struct LedgerWalk {
    let connection: Connection
    private(set) var position: WalkPosition
    private(set) var chain = Findings("I11 block chain")
    private(set) var order = Findings("I10 dense ids and monotone time")
    private(set) var references = Findings("foreign references")
    private(set) var usage: UsageRules
    private(set) var accounts: AccountSums
    private let cursors: [RowCursor]
    private let blockTimes: BlockTimes

    /// Prepares a walk.
    ///
    /// - Parameters:
    ///   - connection: in a transaction, so that everything is of one moment.
    ///   - position: behind which block it begins.
    ///   - scopes: those whose usage is counted.
    /// - Throws: `SQLiteError`, also when a table lacks a column that a rule looks at.
    init(_ connection: Connection, from position: WalkPosition = .start, counting scopes: Set<String>)
        throws(SQLiteError)
    {
        self.connection = connection
        self.position = position
        accounts = try AccountSums(connection)
        var cursors: [RowCursor] = []
        for (name, end) in zip(ChainedTable.Name.allCases, position.ends) {
            cursors.append(try RowCursor(name, after: end, connection: connection))
        }
        self.cursors = cursors
        usage = try UsageRules(
            connection: connection,
            usage: cursors[0].statement,
            transfers: cursors[1].statement,
            counters: CounterSums(scopes: scopes)
        )
        blockTimes = try BlockTimes(connection)
    }

    /// Goes through the blocks.
    ///
    /// - Parameter last: the last block it looks at; rows of later blocks are left alone. Nil goes to the end, where a row
    ///   that no block has hashed is a finding.
    /// - Throws: `SQLiteError`.
    mutating func run(through last: Int64? = nil) throws(SQLiteError) {
        let columns = "seq, prev, hash, first_transfer, last_transfer, first_usage, last_usage, n, sum_amount, ts_us"
        let sql = "SELECT \(columns) FROM block WHERE seq > ? AND seq <= ? ORDER BY seq"
        let blocks = try connection.prepare(sql)
        try blocks.bind(1, position.block)
        try blocks.bind(2, last ?? .max)
        while try blocks.step() { try walk(blocks) }
        if last == nil { try visitRest() }
        for (place, cursor) in cursors.enumerated() {
            position.ends[place] = cursor.end
            order.examined += cursor.seen
        }
    }

    /// Puts the findings together, with those of a walk that ended where this one began.
    ///
    /// - Parameter former: the other walk; nil when this one began at the beginning or the blocks before are not asked for.
    /// - Returns: what both have found.
    /// - Throws: `SQLiteError`.
    mutating func finish(after former: WalkResult? = nil) throws(SQLiteError) -> WalkResult {
        if let former {
            chain.prepend(former.chain)
            order.prepend(former.order)
            references.prepend(former.references)
            accounts.add(former.moved)
        }
        try usage.finish(after: former?.usage ?? .init(), accounts: accounts, &references)
        let counted = usage.counters.totals().merging(former?.counted ?? [:]) { $0 &+ $1 }
        return WalkResult(self, counted: counted)
    }

    /// What has been found so far, to be handed to the walk that goes on from here.
    mutating func handOver() -> WalkResult { WalkResult(self, counted: usage.counters.totals()) }

    private mutating func walk(_ row: borrowing Statement) throws(SQLiteError) {
        let (sequence, time) = (row.int64(0), row.int64(9))
        order.examined += 1
        chain.examined += 1
        if sequence != position.block + 1 { order.add("block \(sequence) follows \(position.block)") }
        if time <= position.time { order.add("block \(sequence) is not later than its predecessor") }
        for cursor in cursors { try take(cursor, block: sequence, time: time) }
        usage.finishBlock()
        checkHash(row, sequence: sequence, time: time)
        position.head = row.bytes(2)
        position.block = sequence
        position.time = time
    }

    /// Visits the rows of a block, and those of earlier blocks that stand in the way.
    private mutating func take(_ cursor: RowCursor, block: Int64, time: Int64) throws(SQLiteError) {
        while let next = cursor.nextBlock, next <= block {
            if next == block {
                cursor.hashRow()
                if cursor.ledgerTime != time { reportTime(cursor) }
            } else {
                try stray(cursor, block: next)
            }
            cursor.checkOrder(block: next, &order)
            visit(cursor)
            try cursor.advance()
        }
    }

    private mutating func visit(_ cursor: RowCursor) {
        switch cursor.name {
        case .usage: usage.visitUsage(cursor, accounts: &accounts, &references)
        case .transfer: usage.visitTransfer(cursor, accounts: &accounts, &references)
        default: break
        }
    }

    /// A row that no block hashes: its block is missing, or has gone by.
    private mutating func stray(_ cursor: RowCursor, block: Int64) throws(SQLiteError) {
        cursor.skipRow()
        if cursor.unhashed == 1 {
            chain.add("\(cursor.name.rawValue) has rows that no block hashes, the first in block \(block)")
        }
        guard let time = try blockTimes.time(of: block) else {
            return references.add("\(cursor.name.rawValue) \(cursor.id): block \(block) is not in block")
        }
        if cursor.ledgerTime != time { reportTime(cursor) }
    }

    private mutating func reportTime(_ cursor: RowCursor) {
        order.add("\(cursor.name.rawValue) \(cursor.id) has another time than its block")
    }

    /// Rows behind the last block.
    private mutating func visitRest() throws(SQLiteError) {
        for cursor in cursors {
            while let block = cursor.nextBlock {
                try stray(cursor, block: block)
                cursor.checkOrder(block: block, &order)
                visit(cursor)
                try cursor.advance()
            }
        }
        usage.finishBlock()
    }
}

extension LedgerWalk {
    private mutating func checkHash(_ row: borrowing Statement, sequence: Int64, time: Int64) {
        let prefix = BlockHash.genesis.count * (1 + cursors.count)
        let isHashRight = withUnsafeTemporaryAllocation(byteCount: prefix + 24, alignment: 8) { bytes in
            bytes.copyBytes(from: position.head.prefix(BlockHash.genesis.count))
            var place = BlockHash.genesis.count
            var contents: [RowCursor.Contents] = []
            for cursor in cursors {
                contents.append(
                    cursor.finishBlock { digest in
                        UnsafeMutableRawBufferPointer(rebasing: bytes[place...]).copyMemory(from: digest)
                        place += digest.count
                    }
                )
            }
            let rows = contents.reduce(0) { $0 + $1.count }
            for number in [rows, contents[1].sum, time] {
                bytes.storeBytes(of: UInt64(bitPattern: number).bigEndian, toByteOffset: place, as: UInt64.self)
                place += 8
            }
            checkFigures(row, sequence, contents, rows)
            var hash = SHA256()
            hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
            let due = hash.finalize()
            return row.withBytes(2) { found in due.withUnsafeBytes { $0.elementsEqual(found) } }
        }
        if !row.withBytes(1, { $0.elementsEqual(position.head) }) {
            chain.add("block \(sequence) does not follow block \(sequence - 1)")
        }
        if !isHashRight { chain.add("block \(sequence): its hash is not that of its rows") }
    }

    private mutating func checkFigures(
        _ row: borrowing Statement,
        _ sequence: Int64,
        _ contents: [RowCursor.Contents],
        _ rows: Int64
    ) {
        let (usage, transfers) = (contents[0], contents[1])
        let isRight =
            row.optionalInt64(3) == transfers.first && row.optionalInt64(4) == transfers.last
            && row.optionalInt64(5) == usage.first && row.optionalInt64(6) == usage.last && row.int64(7) == rows
            && row.int64(8) == transfers.sum
        guard !isRight else { return }
        let found = (3...8).map { row.optionalInt64($0) }
        let due = [transfers.first, transfers.last, usage.first, usage.last, rows, transfers.sum]
        let figures = "ranges, rows and sum \(Self.text(found)), should be \(Self.text(due))"
        chain.add("block \(sequence): \(figures)")
    }

    private static func text(_ numbers: [Int64?]) -> String {
        "[" + numbers.map { $0.map { "\($0)" } ?? "none" }.joined(separator: ", ") + "]"
    }
}

/// Looks up blocks that are not where they should be.
final class BlockTimes {
    private let statement: Statement

    init(_ connection: Connection) throws(SQLiteError) {
        statement = try connection.prepare("SELECT ts_us FROM block WHERE seq = ?")
    }

    func time(of block: Int64) throws(SQLiteError) -> Int64? {
        try statement.bind(1, block)
        defer { statement.reset() }
        return try statement.step() ? statement.int64(0) : nil
    }
}

/// What a walk has found.
struct WalkResult: Sendable {
    let position: WalkPosition
    let chain: Findings
    let order: Findings
    let references: Findings
    let usage: UsageRules.Found
    /// What the transfers have moved, by account.
    let moved: [Int64: AccountSums.Moved]
    /// What the usage has counted, by counter.
    let counted: [CounterSums.Key: Int64]

    init(_ walk: LedgerWalk, counted: [CounterSums.Key: Int64]) {
        position = walk.position
        (chain, order, references) = (walk.chain, walk.order, walk.references)
        usage = walk.usage.found
        moved = walk.accounts.totals
        self.counted = counted
    }
}
