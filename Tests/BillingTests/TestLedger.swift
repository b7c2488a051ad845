import Billing
import FoundationEssentials
import SQLite
import Synchronization
import Testing

/// A ledger in a folder of its own, with a clock that the test moves.
final class TestLedger: Sendable {
    let folder: TemporaryFolder
    let ledger: Ledger
    let unix: SettableClock
    let monotonic: SettableClock

    var path: String { folder.file("ledger.db") }

    init(
        in folder: TemporaryFolder? = nil,
        prices: PriceBook = .standard,
        limits: LedgerLimits = .patient,
        unix: Int64 = 1_795_430_000_000_000
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        let (wall, steady) = (SettableClock(unix), SettableClock(0))
        let told = Told()
        ledger = try Ledger(
            path: folder.file("ledger.db"),
            prices: prices,
            limits: limits,
            clock: LedgerClock(unixMicroseconds: { wall.now }, monotonicNanoseconds: { steady.now }),
            onPoison: { error in told.errors.withLock { $0.append(error) } }
        )
        (self.folder, self.unix, monotonic, self.told) = (folder, wall, steady, told)
    }

    private final class Told: Sendable {
        let errors = Mutex<[LedgerError]>([])
    }

    private let told: Told
    var poisonings: [LedgerError] { told.errors.withLock { $0 } }

    /// Opens an account with so much credit.
    func fund(_ account: String, credits: String) async throws {
        try await ledger.openAccount(account)
        _ = try await ledger.topUp(
            account: account,
            amount: Microcredits(credits: credits),
            ref: "first-\(account)",
            actor: "test"
        )
    }

    /// Admits and settles one call.
    func run(_ call: CallDescription, outcome: Outcome = .ok, wall: Duration = .milliseconds(5)) async throws -> Receipt
    {
        let hold = try await ledger.admit(call)
        return try await ledger.settle(hold, usage(outcome, wall: wall))
    }

    func audit() throws -> AuditReport { try Ledger.audit(path: path) }

    /// Changes the file behind the ledger's back, as somebody who also drops the triggers would.
    func tamper(_ sql: String) throws {
        ledger.close()
        let connection = try Connection(path: path)
        try connection.execute("PRAGMA writable_schema = ON; PRAGMA ignore_check_constraints = ON")
        let triggers = try connection.query("SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
            (row) throws(SQLiteError) in row.string(0)
        }
        for trigger in triggers { try connection.execute("DROP TRIGGER \(trigger)") }
        try connection.execute(sql)
    }
}

extension LedgerLimits {
    /// Calls wait for a place as long as a busy machine makes them; tests of that wait set their own bound.
    static var patient: LedgerLimits {
        var limits = LedgerLimits()
        limits.concurrencyWaitMax = .seconds(55)
        return limits
    }
}

final class SettableClock: Sendable {
    private let time: Mutex<Int64>

    init(_ start: Int64) { time = Mutex(start) }

    var now: Int64 { time.withLock { $0 } }
    func advance(by amount: Int64) { time.withLock { $0 += amount } }
    func set(_ value: Int64) { time.withLock { $0 = value } }
}

func call(
    _ account: String = "alice",
    key: String = "k1",
    algorithm: String = "bob/hello",
    version: Int64 = 1,
    cpus: Int = 1,
    wall: Duration = .seconds(1),
    wait: Duration = .seconds(60)
) -> CallDescription {
    CallDescription(
        invocation: InvocationID(),
        account: account,
        keyID: key,
        algorithm: algorithm,
        versionID: version,
        version: "1.0.\(version)",
        cpus: cpus,
        wallLimit: wall,
        deadline: .now + wait
    )
}

func usage(_ outcome: Outcome = .ok, wall: Duration, cpu: Duration = .milliseconds(3)) -> UsageRecord {
    UsageRecord(outcome: outcome, startMicroseconds: 1_795_430_000_000_000, wall: wall, cpu: cpu)
}

/// Waits for something that happens on another task; gives up, and fails, after a minute.
func until(_ condition: () throws -> Bool) async throws {
    let start = ContinuousClock.now
    while try !condition() {
        try #require(.now - start < .seconds(60), "waited in vain")
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// A per-call price and free compute: every call costs the same.
func flat(_ credits: Int64) throws -> PriceBook {
    try PriceBook(computePicocreditsPerMicrosecond: 0, perCallMicrocredits: credits * 1_000_000)
}

func credits(_ text: String) throws -> Microcredits { try Microcredits(credits: text) }

/// Numbers that a failing test can repeat: the seed is printed and taken from `FAASD_TEST_SEED`.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(test: String = #function) {
        let given = ProcessInfo.processInfo.environment["FAASD_TEST_SEED"].flatMap { UInt64($0) }
        state = given ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): FAASD_TEST_SEED=\(state)")
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Numbers of every size, not only large ones.
    mutating func amount(below bits: Int) -> Int64 {
        Int64(next() >> 1) & ((1 << Int64.random(in: 0...Int64(bits), using: &self)) - 1)
    }
}

extension TestLedger {
    /// Credits less debits of every account that has moved, by owner and kind.
    func totals() throws -> [String: Int64] {
        let connection = try Connection(path: path, access: .readOnly)
        let rows = try connection.query("SELECT owner, kind, credits - debits FROM account") {
            (row) throws(SQLiteError) in
            ("\(row.string(0)) \(row.int64(1))", row.int64(2))
        }
        return Dictionary(rows) { first, _ in first }.filter { $0.value != 0 }
    }
}

extension TestLedger {
    /// The grants of an account, in the order in which they are used.
    func lots(_ owner: String) throws -> [(expires: Int64?, balance: Int64)] {
        let connection = try Connection(path: path, access: .readOnly)
        let sql = """
            SELECT expires_us, credits - debits FROM account WHERE owner = ? AND parent IS NOT NULL
            ORDER BY priority, expires_us IS NULL, expires_us, id
            """
        return try connection.query(sql, .text(owner)) { (row) throws(SQLiteError) in
            (row.optionalInt64(0), row.int64(1))
        }
    }
}

extension Result where Failure == any Error {
    /// Runs a closure and keeps what it returned or threw.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
