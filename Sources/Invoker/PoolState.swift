/// Which workers may stand in for each other: those of one version, and under isolation `caller` of one account.
public struct PoolKey: Hashable, Sendable {
    /// The version's number in the catalogue.
    public let versionID: Int64
    /// The calling account; empty when the version is shared between accounts.
    public let account: String
    /// Made once: a call looks into a dozen tables by its key.
    private let digest: Int

    init(versionID: Int64, account: String) {
        (self.versionID, self.account) = (versionID, account)
        var hasher = Hasher()
        hasher.combine(versionID)
        hasher.combine(account)
        digest = hasher.finalize()
    }

    /// Hashes what was made of both.
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// Who has a seat, who sleeps, who waits: pure decisions, apart from their effects.
///
/// A seat is a live or starting worker. Seats are bounded in all, for each key and for each account; idle workers of any key
/// give way, the least valuable first; accounts that wait are served in turn, and each one's calls in order of arrival.
struct PoolState: Sendable {
    /// What a caller gets.
    enum Grant: Sendable, Equatable {
        /// This idle worker.
        case reuse(Int)
        /// A seat, to start a worker on; the named idle worker must be retired first.
        case start(evicting: Int?)
    }

    enum Decision: Sendable, Equatable {
        case granted(Grant)
        /// At this place of its account's line, the first being 1.
        ///
        /// `isHeld` when a worker sleeps that it may have after `holdNanoseconds`.
        case wait(ticket: Int, position: Int, isHeld: Bool)
        case refused(PoolFullness)
    }

    typealias Served = [(ticket: Int, grant: Grant)]

    let bounds: PoolBounds
    private var seats: [PoolKey: Int] = [:]
    private var accountSeats: [String: Int] = [:]
    private(set) var seatsTaken = 0
    private var shelf = PoolShelf()
    private var lines = PoolLines()
    private(set) var traffic = PoolTraffic()
    /// Keys for which something is set.
    private var terms: [PoolKey: PoolTerms] = [:]

    init(_ bounds: PoolBounds) { self.bounds = bounds }

    /// Idle workers and waiting calls, for the metrics.
    var counts: (idle: Int, waiting: Int) { (shelf.count, lines.count) }

    /// Workers that are at work, or starting.
    var atWork: Int { seatsTaken - shelf.count }

    /// Whether that many are at work, and nobody waits.
    func isQuiet(atWork count: Int) -> Bool { atWork == count && lines.count == 0 }

    /// A call wants a worker.
    ///
    /// - Parameters:
    ///   - key: of which workers.
    ///   - account: who calls.
    ///   - secondsLeft: until its deadline.
    ///   - now: nanoseconds.
    /// - Returns: a worker or a seat, a place in the line, or which bound is reached.
    mutating func lease(_ key: PoolKey, by account: String, secondsLeft: Double, now: UInt64) -> Decision {
        traffic.arrive(key, now: now)
        guard seatsMax(key) > 0 else {
            return .refused(PoolFullness(bound: .forbidden, limit: 0, value: 0, retryAfterSeconds: 3_600))
        }
        // Those who came before and want the same go first.
        let isHeld = mayHold(key)
        if !isHeld, lines.count(key: key) == 0, let grant = grant(key, since: now, now) { return .granted(grant) }
        if let fullness = fullness(key, account, secondsLeft) { return .refused(fullness) }
        let ticket = lines.append(key, account, now: now)
        return .wait(ticket: ticket, position: lines.count(account: account), isHeld: isHeld)
    }

    /// Whether to wait for a busy worker of a key is sooner than to wake one that sleeps.
    ///
    /// On a machine whose processors are all at work, each further worker costs a wake and a freeze and gains nothing.
    private func mayHold(_ key: PoolKey) -> Bool {
        let idle = shelf.count(key)
        return idle > 0 && seats[key, default: 0] > idle
            && traffic.isShort(key) && atWork >= traffic.workersAtOnce(key, processors: bounds.processors)
    }

    /// Wakes workers for those who have waited long enough for a busy one.
    ///
    /// - Returns: who got one, and whether others still wait although one sleeps.
    mutating func release(now: UInt64) -> (served: Served, isHolding: Bool) {
        var served: Served = []
        var isHolding = false
        for first in lines.firsts where shelf.count(first.key) > 0 {
            guard now - min(now, first.waiting.since) >= bounds.holdNanoseconds else {
                isHolding = true
                continue
            }
            guard let worker = shelf.take(first.key) else { continue }
            _ = lines.remove(first.waiting.ticket, isServed: true)
            served.append((first.waiting.ticket, .reuse(worker)))
        }
        return (served, isHolding || !served.isEmpty)
    }

    /// A worker served its call, and may serve another.
    mutating func giveBack(
        _ worker: Int,
        _ key: PoolKey,
        _ service: PoolService? = nil,
        now: UInt64
    ) -> Served {
        if let service { traffic.served(key, service) }
        shelf.put(worker, key, now: now)
        return serve(now)
    }

    /// Who may have a worker of this key that has just answered, without its coming to rest; nil when nobody may.
    ///
    /// Not before those of other keys who have waited long enough for a worker to give way to them.
    mutating func next(_ key: PoolKey, _ service: PoolService, now: UInt64) -> Int? {
        guard let own = lines.first(of: key) else { return nil }
        // Others wait as well: is there one whose turn it is, and who could have this seat?
        if lines.count > lines.count(key: key) {
            for first in lines.firsts {
                if first.key == key { break }
                let hasWaited = now - min(now, first.waiting.since) >= bounds.patienceNanoseconds
                if hasWaited, mayStart(first.key) { return nil }
            }
        }
        traffic.served(key, service)
        return lines.remove(own.ticket, isServed: true) ? own.ticket : nil
    }

    /// Whether neither its key's nor its account's bound keeps a call from another worker.
    private func mayStart(_ key: PoolKey) -> Bool {
        seats[key, default: 0] < seatsMax(key)
            && (key.account.isEmpty || accountSeats[key.account, default: 0] < bounds.seatsPerAccountMax)
    }

    /// A worker was started on a seat, in so many seconds.
    mutating func started(_ key: PoolKey, seconds: Double) { traffic.started(key, seconds: seconds) }

    /// A worker is gone, or never came to be: its seat is free.
    mutating func vacate(_ key: PoolKey, now: UInt64) -> Served {
        free(key)
        return serve(now)
    }

    /// Whether any worker of a version is alive, sleeping ones included.
    func hasSeats(version: Int64) -> Bool { seats.keys.contains { $0.versionID == version } }

    /// A call stopped waiting; false when it has been served in the meantime.
    mutating func abandon(ticket: Int) -> Bool { lines.remove(ticket, isServed: false) }

    /// Sets what an administrator wants of some keys, in place of what was set before.
    mutating func set(_ terms: [PoolKey: PoolTerms], now: UInt64) -> Served {
        self.terms = terms
        // One seat at least is everybody's.
        var left = bounds.seatsMax - 1
        for (key, wanted) in terms.sorted(by: {
            ($0.key.versionID, $0.key.account) < ($1.key.versionID, $1.key.account)
        }) {
            self.terms[key]?.reserved = min(wanted.reserved, left)
            left -= min(wanted.reserved, left)
        }
        return serve(now)
    }

    /// Keys that have fewer workers than are to be kept warm, and how many are missing.
    var missingWarm: [PoolKey: Int] {
        terms.compactMapValues { $0.warm > 0 ? $0.warm : nil }.merging(seats) { warm, taken in warm - taken }
            .filter { (terms[$0.key]?.warm ?? 0) > 0 && $0.value > 0 }
    }

    /// A seat for a worker that no call waits for; nil when there is none but by disturbing who waits.
    mutating func seatAhead(_ key: PoolKey, now: UInt64) -> Grant? {
        guard seats[key, default: 0] < seatsMax(key) else { return nil }
        if seatsTaken + reserved(besides: key) < bounds.seatsMax {
            take(key)
            return .start(evicting: nil)
        }
        let lines = lines
        return replace(by: key, now) { lines.count(key: $0) == 0 }
    }

    /// Takes out the idle workers that nobody has wanted for long; their seats are freed by `vacate` once they are retired.
    mutating func takeUnwanted(now: UInt64) -> [Int] {
        let (traffic, range) = (traffic, bounds.idleNanoseconds)
        let old = shelf.take { now - min(now, $0.since) > traffic.keepNanoseconds($0.key, within: range) }
        // Of those that are to be kept, the ones that slept least go back.
        var (gone, going): ([Int], [PoolKey: Int]) = ([], [:])
        for idle in old {
            let left = seats[idle.key, default: 0] - going[idle.key, default: 0] - 1
            if left >= (terms[idle.key]?.kept ?? 0) {
                going[idle.key, default: 0] += 1
                gone.append(idle.worker)
            } else {
                shelf.put(idle.worker, idle.key, now: now)
            }
        }
        return gone
    }

    /// Takes out the least valuable idle worker, because the host needs its memory; its seat is freed by `vacate`.
    mutating func takeLeastValuable(now: UInt64) -> Int? { leastValuable(now) { _ in true }?.worker }

    /// Takes out the idle workers of some keys; their seats are freed by `vacate` once they are retired.
    mutating func takeIdle(where matches: (PoolKey) -> Bool = { _ in true }) -> [Int] {
        shelf.take { matches($0.key) }.map(\.worker)
    }

    /// Takes out an idle worker; its seat is freed by `vacate` once it is retired.
    mutating func takeIdle(_ worker: Int) -> Bool { !shelf.take { $0.worker == worker }.isEmpty }

    private mutating func serve(_ now: UInt64) -> Served {
        var served: Served = []
        while lines.count > 0, let next = serveOne(now) { served.append(next) }
        return served
    }

    private mutating func serveOne(_ now: UInt64) -> (ticket: Int, grant: Grant)? {
        for first in lines.firsts {
            guard let grant = grant(first.key, since: first.waiting.since, now) else { continue }
            _ = lines.remove(first.waiting.ticket, isServed: true)
            return (first.waiting.ticket, grant)
        }
        return nil
    }

    private mutating func grant(_ key: PoolKey, since: UInt64, _ now: UInt64) -> Grant? {
        if let worker = shelf.take(key) { return .reuse(worker) }
        guard seats[key, default: 0] < seatsMax(key) else { return nil }
        let (lines, isPatient) = (lines, now - min(now, since) < bounds.patienceNanoseconds)
        func mayGo(_ other: PoolKey) -> Bool { !(isPatient && lines.count(key: other) > 0) }
        if !key.account.isEmpty, accountSeats[key.account, default: 0] >= bounds.seatsPerAccountMax {
            // Its own idle worker may go; another account's may not, however idle.
            return replace(by: key, now) { $0.account == key.account && mayGo($0) }
        }
        if seatsTaken + reserved(besides: key) < bounds.seatsMax {
            take(key)
            return .start(evicting: nil)
        }
        return replace(by: key, now, where: mayGo)
    }

    private mutating func replace(by key: PoolKey, _ now: UInt64, where mayGo: (PoolKey) -> Bool) -> Grant? {
        guard let gone = leastValuable(now, where: mayGo) else { return nil }
        free(gone.key)
        take(key)
        return .start(evicting: gone.worker)
    }

    private mutating func leastValuable(_ now: UInt64, where mayGo: (PoolKey) -> Bool) -> PoolShelf.Idle? {
        let (traffic, terms, seats) = (traffic, terms, seats)
        return shelf.takeLeast(value: { traffic.value($0, now: now) }) { key, _ in
            (terms[key].map { seats[key, default: 0] > $0.kept } ?? true) && mayGo(key)
        }
    }

    private func seatsMax(_ key: PoolKey) -> Int { terms[key]?.seatsMax ?? bounds.seatsPerKeyMax }

    /// Seats that are kept free for others.
    private func reserved(besides key: PoolKey) -> Int {
        terms.reduce(0) { sum, other in
            other.key == key ? sum : sum + max(0, other.value.reserved - seats[other.key, default: 0])
        }
    }

    private mutating func take(_ key: PoolKey) {
        seats[key, default: 0] += 1
        accountSeats[key.account, default: 0] += 1
        seatsTaken += 1
    }

    private mutating func free(_ key: PoolKey) {
        let left = seats[key, default: 0] - 1
        precondition(left >= 0, "a seat of version \(key.versionID) was freed twice")
        seats[key] = left == 0 ? nil : left
        let leftOfAccount = accountSeats[key.account, default: 0] - 1
        accountSeats[key.account] = leftOfAccount == 0 ? nil : leftOfAccount
        seatsTaken -= 1
    }
}

extension PoolState {
    /// Calls whose wait is foreseen are at least so many; an average of fewer says little.
    private static var foreseenFrom: Int { 16 }

    /// Why a call may not wait; nil when it may.
    private func fullness(_ key: PoolKey, _ account: String, _ secondsLeft: Double) -> PoolFullness? {
        let (own, ofVersion) = (lines.count(account: account), lines.count(version: key.versionID))
        func full(_ bound: PoolFullness.Bound, _ limit: Int, _ value: Int) -> PoolFullness {
            PoolFullness(bound: bound, limit: limit, value: value, retryAfterSeconds: seconds(for: key, behind: 0))
        }
        if own >= bounds.waitersPerAccountMax { return full(.account, bounds.waitersPerAccountMax, own) }
        if ofVersion >= bounds.waitersPerVersionMax { return full(.version, bounds.waitersPerVersionMax, ofVersion) }
        if lines.count >= bounds.waitersMax { return full(.all, bounds.waitersMax, lines.count) }
        let ahead = lines.count(key: key)
        let wait = Double(seconds(for: key, behind: ahead))
        // Twice, because what calls take varies: a place in the line is refused only to who would wait in vain.
        guard ahead >= Self.foreseenFrom, wait > 2 * secondsLeft else { return nil }
        return PoolFullness(
            bound: .time,
            limit: Int(secondsLeft),
            value: Int(wait),
            retryAfterSeconds: max(1, Int(wait - secondsLeft))
        )
    }

    /// How long it takes until so many calls of a key, and one more, were served by its workers; whole seconds, 1 at least.
    private func seconds(for key: PoolKey, behind ahead: Int) -> Int {
        let workers = Double(max(1, seats[key, default: 0]))
        let wait = (traffic.busySeconds(key) ?? 0) * Double(ahead + 1) / workers
        return max(1, Int(min(wait.rounded(.up), 3_600)))
    }
}
