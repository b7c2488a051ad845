/// The workers that sleep, by key.
struct PoolShelf: Sendable {
    struct Idle: Sendable, Equatable {
        let worker: Int
        let key: PoolKey
        let since: UInt64
    }

    private var byKey: [PoolKey: [Idle]] = [:]
    private(set) var count = 0

    func count(_ key: PoolKey) -> Int { byKey[key]?.count ?? 0 }

    mutating func put(_ worker: Int, _ key: PoolKey, now: UInt64) {
        byKey[key, default: []].append(Idle(worker: worker, key: key, since: now))
        count += 1
    }

    /// The one that was used last: its memory is warm, and the others grow old enough to go.
    mutating func take(_ key: PoolKey) -> Int? {
        guard let last = byKey[key]?.popLast() else { return nil }
        if byKey[key]?.isEmpty == true { byKey[key] = nil }
        count -= 1
        return last.worker
    }

    /// Takes out the one of least value of those that may go; among equals the one that has slept longest.
    ///
    /// - Parameters:
    ///   - value: of a key's workers.
    ///   - mayGo: whether a key's workers may, so many of which sleep.
    /// - Returns: the worker, nil when none may go.
    mutating func takeLeast(value: (PoolKey) -> Double, mayGo: (PoolKey, Int) -> Bool) -> Idle? {
        let candidates = byKey.compactMap { key, line in mayGo(key, line.count) ? line.first : nil }
        let least = candidates.min {
            ($0.key == $1.key ? 0 : value($0.key), $0.since) < ($0.key == $1.key ? 0 : value($1.key), $1.since)
        }
        guard let least else { return nil }
        remove(least)
        return least
    }

    /// Takes out all of which this is so; oldest first.
    mutating func take(where goes: (Idle) -> Bool) -> [Idle] {
        let gone = byKey.values.joined().filter(goes)
        for idle in gone { remove(idle) }
        return gone.sorted { $0.since < $1.since }
    }

    private mutating func remove(_ idle: Idle) {
        byKey[idle.key]?.removeAll { $0 == idle }
        if byKey[idle.key]?.isEmpty == true { byKey[idle.key] = nil }
        count -= 1
    }
}
