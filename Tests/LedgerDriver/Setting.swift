import Billing
import Synchronization

/// How a verb opens the ledger: the options that all verbs have in common.
///
/// `--database FILE --prices RATE,INCREMENT,CALL,FEE --clock START,STEP --queue N --allowances SECONDS,SECONDS,SECONDS
/// --durable MICROCREDITS`
struct Setting: Sendable {
    let path: String
    let prices: PriceBook
    let limits: LedgerLimits
    let clock: LedgerClock

    init(_ options: Options) throws {
        path = try options.text("database")
        let figures = try options.numbers("prices")
        switch figures.count {
        case 0: prices = .standard
        case 4:
            prices = try PriceBook(
                computePicocreditsPerMicrosecond: figures[0],
                incrementMicroseconds: figures[1],
                perCallMicrocredits: figures[2],
                feeBasisPoints: figures[3]
            )
        default: throw Options.Wrong(description: "--prices takes four numbers")
        }
        var limits = LedgerLimits()
        limits.writerQueueMax = Int(try options.number("queue", or: Int64(limits.writerQueueMax)))
        // Seconds of an account, an author and a pair; by default so many that failures never run out of them.
        let allowances = try options.numbers("allowances")
        let seconds = allowances.count == 3 ? allowances : [1 << 40, 1 << 40, 1 << 40]
        limits.unpaidCPUAccount = .seconds(seconds[0])
        limits.unpaidCPUAuthor = .seconds(seconds[1])
        limits.unpaidCPUPair = .seconds(seconds[2])
        limits.durableHoldMin = .init(rawValue: try options.number("durable", or: limits.durableHoldMin.rawValue))
        limits.keptAnswerBytesMax = Charging.keptAnswerBytesMax
        self.limits = limits
        let times = try options.numbers("clock")
        guard times.count == 2 else {
            clock = .system
            return
        }
        let reading = SteppingClock(start: times[0], step: times[1])
        clock = LedgerClock(
            unixMicroseconds: { reading.next() },
            monotonicNanoseconds: LedgerClock.system.monotonicNanoseconds
        )
    }
}

/// Goes on by the same step whenever it is read, so that a short run crosses days and months.
private final class SteppingClock: Sendable {
    private let now: Mutex<Int64>
    private let step: Int64

    init(start: Int64, step: Int64) {
        now = Mutex(start)
        self.step = step
    }

    func next() -> Int64 {
        now.withLock { now in
            now += step
            return now
        }
    }
}
