internal import Glibc
internal import Synchronization

/// Users, keys, algorithms and versions: who may call what, and what a name means.
///
/// Reads are answered from memory under a short lock and never touch the disk. Writes go to `catalog.db` first (one
/// connection, write-ahead log, a commit is on the disk when the call returns) and to memory afterwards.
///
/// - Errors: every refusal is a ``CatalogError`` that names the field, the value and the rule.
/// - Source: one SQLite file, of which this object must be the only writer.
public final class Catalog: Sendable {
    let store: CatalogStore
    let usersMax: Int
    private let memory: Mutex<CatalogState>
    private let clock: @Sendable () -> Int64
    private let changes = Atomic<UInt64>(0)

    /// Opens the catalog, making the file when it is missing, and reads it into memory.
    ///
    /// Builds that a former process left unfinished are failed; ``versionsToRemove()`` lists them.
    ///
    /// - Parameters:
    ///   - path: the database file; `":memory:"` for a catalog that ends with its process.
    ///   - usersMax: how many users there may be; more that are there already stay.
    /// - Throws: `CatalogError` with reason `.storage`.
    public convenience init(path: String, usersMax: Int = .max) throws(CatalogError) {
        try self.init(path: path, usersMax: usersMax, clock: Self.wallClock)
    }

    /// The same with a clock of one's own: microseconds since 1970.
    init(path: String, usersMax: Int = .max, clock: @escaping @Sendable () -> Int64) throws(CatalogError) {
        self.usersMax = usersMax
        store = try CatalogStore(path: path)
        memory = Mutex(try store.write(CatalogLoader.load))
        self.clock = clock
    }

    func now() -> Int64 { clock() }

    func read<Result: Sendable>(_ body: (borrowing CatalogState) -> Result) -> Result {
        memory.withLock { body($0) }
    }

    /// Changes memory; only inside `store.write`, after the file was changed, so that both agree on the order.
    func apply(_ change: (inout CatalogState) -> Void) {
        memory.withLock { change(&$0) }
        changes.add(1, ordering: .releasing)
    }

    /// A number that is another after every change: what was read here is still so while it is the same.
    public var revision: UInt64 { changes.load(ordering: .acquiring) }

    private static func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
