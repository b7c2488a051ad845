import Crypto
import FoundationEssentials
import SQLite

/// The ledger's only writing connection, with the caches that spare it reading.
///
/// One commit is one block: ``beginBlock(at:)``, any number of records, ``finishBlock()``. An error in between means
/// that the file and the caches have parted: the owner stops for good. Used by one thread at a time.
final class LedgerFile {
    let connection: Connection
    let prices: PriceBook
    let limits: LedgerLimits
    /// Asks admission to let go of so much of an account's credit at a moment; answers how much of it was free.
    var takeBack: (String, Int64, Int64) -> Int64 = { _, amount, _ in amount }
    private(set) var epoch: Int64 = 0
    private(set) var priceVersion: Int64 = 0

    let usage: ChainedTable
    let transfers: ChainedTable
    let royaltyRows: ChainedTable
    let priceBooks: ChainedTable
    let adminLog: ChainedTable
    let statements: LedgerStatements

    /// Every account by its number, which is dense; its place 0 is unused.
    var accounts: [LedgerAccount?] = [nil]
    var callers: [String: LedgerAccount] = [:]
    var authors: [String: LedgerAccount] = [:]
    var platform: [AccountKind: LedgerAccount] = [:]
    /// When the next grant ends that has something left, at the earliest.
    var nextExpiry = Int64.max
    var royalties: [Int64: RoyaltyTerms] = [:]
    var quotas: [String: [QuotaMetric: Quota]] = [:]
    /// Scopes with a quota that counts over time.
    var budgetScopes: Set<String> = []
    var counters: [String: [QuotaMetric: WindowCounter]] = [:]

    /// Number, hash and time of the last block; of the one being built, between begin and finish.
    var block: Int64 = 0
    var head = BlockHash.genesis
    var ledgerMicroseconds: Int64 = 0

    /// Accounts that this block has moved money of.
    var touched: [LedgerAccount] = []
    var touchedCounters: Set<QuotaKey> = []
    var blockSum: Int64 = 0
    /// Idempotency keys recorded since others were forgotten.
    var keysKept: Int64 = 0
    /// When the oldest key's time is over.
    var oldestKeyExpires = Int64.max
    /// Bytes of kept answers, by account.
    var keptBytes: [Int64: Int64] = [:]
    var keptBytesTotal: Int64 = 0
    var changes = CommittedChanges()

    /// Opens the file, brings its schema up to date, and records the new epoch and, if they changed, the prices.
    init(path: String, prices: PriceBook, now: Int64, limits: LedgerLimits) throws(SQLiteError) {
        connection = try Connection(path: path)
        self.prices = prices
        self.limits = limits
        try connection.useWriteAheadLog(automaticCheckpointPages: 0)
        for pragma in ["synchronous = FULL", "cache_size = -1024", "mmap_size = 0", "foreign_keys = OFF"] {
            try connection.pragma(pragma)
        }
        // A large step is a long wait for the disk by the commit that takes it: 25 ms for 16 MiB, 1 ms for this.
        connection.setGrowthStep(bytes: 256 << 10)
        try connection.migrate(Schema.migrations)
        if limits.filePagesMax > 0 { try connection.pragma("max_page_count = \(limits.filePagesMax)") }
        usage = try ChainedTable(.usage, connection: connection)
        transfers = try ChainedTable(.transfer, connection: connection)
        royaltyRows = try ChainedTable(.royalty, connection: connection)
        priceBooks = try ChainedTable(.priceBook, connection: connection)
        adminLog = try ChainedTable(.adminLog, connection: connection)
        statements = try LedgerStatements(connection: connection)
        try load()
        try start(now: now)
        connection.growLog(to: 8 << 20)
    }

    private func start(now: Int64) throws(SQLiteError) {
        try beginBlock(at: now)
        try connection.run("UPDATE meta SET value = value + 1 WHERE key = 'epoch'")
        epoch = try first("SELECT value FROM meta WHERE key = 'epoch'") ?? 0
        for kind in AccountKind.platform where platform[kind] == nil { _ = try open("", kind, actor: "daemon") }
        try publishPrices()
        try recoverHolds()
        try log(actor: "daemon", verb: "start", subject: "epoch", before: "\(epoch - 1)", after: "\(epoch)")
        try finishBlock()
    }

    /// Keeps the last price book when it says the same; a new version otherwise.
    private func publishPrices() throws(SQLiteError) {
        let document = prices.document
        let last = try connection.query("SELECT version, doc FROM price_book ORDER BY version DESC LIMIT 1") {
            (row) throws(SQLiteError) in (version: row.int64(0), document: row.string(1))
        }
        if let last = last.first, last.document == document {
            priceVersion = last.version
            return
        }
        priceBooks.begin()
        priceBooks.integer(ledgerMicroseconds)
        priceBooks.integer(ledgerMicroseconds)
        priceBooks.text(document)
        priceBooks.blob(Array(SHA256.hash(data: Array(document.utf8))))
        priceBooks.integer(block)
        priceVersion = try priceBooks.finish()
    }

    /// One of the platform's own accounts.
    func platform(_ kind: AccountKind) -> LedgerAccount {
        guard let account = platform[kind] else { preconditionFailure("\(kind) is opened at the start") }
        return account
    }

    func first(_ sql: String, _ values: Value...) throws(SQLiteError) -> Int64? {
        let statement = try connection.prepare(sql)
        try statement.bind(values)
        let found = try statement.step() ? statement.optionalInt64(0) : nil
        statement.reset()
        return found
    }
}

extension PriceBook {
    /// The canonical text that is stored and hashed: JSON with sorted keys.
    var document: String {
        """
        {"computePicocreditsPerMicrosecond":\(computePicocreditsPerMicrosecond),"feeBasisPoints":\(feeBasisPoints),\
        "incrementMicroseconds":\(incrementMicroseconds),"perCallMicrocredits":\(perCallMicrocredits)}
        """
    }

    /// Reads a stored document; nil when it is none.
    init?(document: String) {
        guard let book = try? JSONDecoder().decode(PriceBook.self, from: Data(document.utf8)) else { return nil }
        self = book
    }
}
