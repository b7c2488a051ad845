/// Which workers may stand in for each other: those of one version, and under isolation `caller` of one account.
public struct PoolKey: Hashable, Sendable {
    /// The version's number in the catalogue.
    public var versionID: Int64
    /// The calling account; empty when the version is shared between accounts.
    public var account: String
}

/// Who has a seat, who sleeps, who waits: pure decisions, apart from their effects.
///
/// A seat is a live or starting worker. Seats are bounded in all and for each key; idle workers of any key give way,
/// the least recently used first; those who wait are served in the order in which they came.
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
        case wait(ticket: Int)
        case refused(waiting: Int)
    }

    private struct Idle: Sendable {
        let worker: Int
        let key: PoolKey
        let since: UInt64
    }

    private let seatsMax: Int
    private let seatsPerKeyMax: Int
    private let seatsPerAccountMax: Int
    private let waitersMax: Int
    private var seats: [PoolKey: Int] = [:]
    private var accountSeats: [String: Int] = [:]
    private(set) var seatsTaken = 0
    /// Oldest first.
    private var idle: [Idle] = []
    /// In order of arrival.
    private var waiting: [(ticket: Int, key: PoolKey)] = []
    private var nextTicket = 0

    init(seatsMax: Int, seatsPerKeyMax: Int, seatsPerAccountMax: Int = .max, waitersMax: Int) {
        precondition(
            seatsMax > 0 && seatsPerKeyMax > 0,
            "a pool needs room for one worker, got \(seatsMax) and \(seatsPerKeyMax)"
        )
        self.seatsMax = seatsMax
        self.seatsPerKeyMax = seatsPerKeyMax
        self.seatsPerAccountMax = seatsPerAccountMax
        self.waitersMax = waitersMax
    }

    /// Idle workers and waiting calls, for the metrics.
    var counts: (idle: Int, waiting: Int) { (idle.count, waiting.count) }

    /// A call wants a worker.
    mutating func lease(_ key: PoolKey) -> Decision {
        // Those who came before and want the same go first.
        let isBehind = waiting.contains { $0.key == key }
        if !isBehind, let grant = grant(key) { return .granted(grant) }
        guard waiting.count < waitersMax else { return .refused(waiting: waiting.count) }
        nextTicket += 1
        waiting.append((nextTicket, key))
        return .wait(ticket: nextTicket)
    }

    /// A worker served its call and may serve another.
    mutating func giveBack(_ worker: Int, _ key: PoolKey, now: UInt64) -> [(ticket: Int, grant: Grant)] {
        idle.append(Idle(worker: worker, key: key, since: now))
        return serveWaiters()
    }

    /// A worker is gone, or never came to be: its seat is free.
    mutating func vacate(_ key: PoolKey) -> [(ticket: Int, grant: Grant)] {
        free(key)
        return serveWaiters()
    }

    /// Whether any worker of a version is alive, sleeping ones included.
    func hasSeats(version: Int64) -> Bool { seats.keys.contains { $0.versionID == version } }

    /// A call stopped waiting; false when it has been served in the meantime.
    mutating func abandon(ticket: Int) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Takes out the idle workers that slept since before a moment, or belong to a version; their seats are freed by
    /// `vacate` once they are retired.
    mutating func takeIdle(before moment: UInt64 = .max, where matches: (PoolKey) -> Bool = { _ in true }) -> [(
        worker: Int, key: PoolKey
    )] {
        let taken = idle.filter { $0.since < moment && matches($0.key) }
        idle.removeAll { $0.since < moment && matches($0.key) }
        return taken.map { ($0.worker, $0.key) }
    }

    private mutating func serveWaiters() -> [(ticket: Int, grant: Grant)] {
        var served: [(ticket: Int, grant: Grant)] = []
        var index = 0
        while index < waiting.count {
            let (ticket, key) = waiting[index]
            if let grant = grant(key) {
                served.append((ticket, grant))
                waiting.remove(at: index)
            } else {
                index += 1
            }
        }
        return served
    }

    private mutating func grant(_ key: PoolKey) -> Grant? {
        // The most recently used one: its memory is warm, and the others grow old enough to go.
        if let index = idle.lastIndex(where: { $0.key == key }) { return .reuse(idle.remove(at: index).worker) }
        guard seats[key, default: 0] < seatsPerKeyMax else { return nil }
        if !key.account.isEmpty, accountSeats[key.account, default: 0] >= seatsPerAccountMax {
            // Its own oldest idle worker may go; another account's may not, however idle.
            guard let index = idle.firstIndex(where: { $0.key.account == key.account }) else { return nil }
            return replace(index, by: key)
        }
        if seatsTaken < seatsMax {
            take(key)
            return .start(evicting: nil)
        }
        return idle.isEmpty ? nil : replace(0, by: key)
    }

    private mutating func replace(_ index: Int, by key: PoolKey) -> Grant {
        let oldest = idle.remove(at: index)
        free(oldest.key)
        take(key)
        return .start(evicting: oldest.worker)
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
