import Crypto
import FoundationEssentials
import SQLite

/// The ledger's only writing connection, with the caches that spare it reading.
///
/// One commit is one block: ``beginBlock(at:)``, any number of records, ``finishBlock()``. An error in between means
/// that the file and the caches have parted: the owner stops for good. Used by one thread at a time.
final class LedgerFile {
    struct AccountKey: Hashable {
        let owner: String
        let kind: AccountKind
    }

    struct AccountRow {
        let key: AccountKey
        var overdraft: Int64
        var debits: Int64
        var credits: Int64
    }

    let connection: Connection
    let prices: PriceBook
    private(set) var epoch: Int64 = 0
    private(set) var priceVersion: Int64 = 0

    let usage: ChainedTable
    let transfers: ChainedTable
    let royaltyRows: ChainedTable
    let priceBooks: ChainedTable
    let adminLog: ChainedTable
    let statements: LedgerStatements

    var accounts: [Int64: AccountRow] = [:]
    var accountIDs: [AccountKey: Int64] = [:]
    var royalties: [Int64: RoyaltyTerms] = [:]
    var quotas: [String: [QuotaMetric: Quota]] = [:]
    var counters: [String: [QuotaMetric: WindowCounter]] = [:]

    /// Number, hash and time of the last block; of the one being built, between begin and finish.
    var block: Int64 = 0
    var head = BlockHash.genesis
    var ledgerMicroseconds: Int64 = 0

    /// Accounts touched in this block, as they were before it.
    var touched: [Int64: AccountRow] = [:]
    var touchedCounters: Set<QuotaKey> = []
    var blockSum: Int64 = 0
    var changes = CommittedChanges()

    /// Opens the file, brings its schema up to date, and records the new epoch and, if they changed, the prices.
    init(path: String, prices: PriceBook, now: Int64, pagesMax: Int) throws(SQLiteError) {
        connection = try Connection(path: path)
        self.prices = prices
        try connection.useWriteAheadLog(automaticCheckpointPages: 0)
        for pragma in ["synchronous = FULL", "cache_size = -65536", "mmap_size = 0", "foreign_keys = OFF"] {
            try connection.pragma(pragma)
        }
        connection.setGrowthStep(bytes: 16 << 20)
        try connection.migrate(Schema.migrations)
        if pagesMax > 0 { try connection.pragma("max_page_count = \(pagesMax)") }
        usage = try ChainedTable(.usage, connection: connection)
        transfers = try ChainedTable(.transfer, connection: connection)
        royaltyRows = try ChainedTable(.royalty, connection: connection)
        priceBooks = try ChainedTable(.priceBook, connection: connection)
        adminLog = try ChainedTable(.adminLog, connection: connection)
        statements = try LedgerStatements(connection: connection)
        try load()
        try start(now: now)
    }

    private func start(now: Int64) throws(SQLiteError) {
        try beginBlock(at: now)
        try connection.run("UPDATE meta SET value = value + 1 WHERE key = 'epoch'")
        epoch = try first("SELECT value FROM meta WHERE key = 'epoch'") ?? 0
        for kind in AccountKind.platform { _ = try account(owner: "", kind: kind, actor: "daemon") }
        try publishPrices()
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
        let digest = Array(SHA256.hash(data: Array(document.utf8)))
        let time = Value.integer(ledgerMicroseconds)
        priceVersion = try priceBooks.append([time, time, .text(document), .blob(digest), .integer(block)])
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
