/// The calls that wait for a worker: a line for each account and key, and the accounts in turn.
struct PoolLines: Sendable {
    struct Waiting: Sendable, Equatable {
        let ticket: Int
        let since: UInt64
    }

    private struct Account: Sendable {
        var lines: [PoolKey: [Waiting]] = [:]
        var count = 0
        /// When it was served last, in servings.
        var turn: UInt64

        mutating func remove(_ ticket: Int, _ key: PoolKey) {
            guard let place = lines.index(forKey: key) else { return }
            lines.values[place].removeAll { $0.ticket == ticket }
            if lines.values[place].isEmpty { lines.remove(at: place) }
            count -= 1
        }
    }

    private var accounts: [String: Account] = [:]
    private var places: [Int: (account: String, key: PoolKey)] = [:]
    private var byVersion: [Int64: Int] = [:]
    private var byKey: [PoolKey: Int] = [:]
    private var servings: UInt64 = 0
    private var lastTicket = 0

    /// Calls that wait, in all, of an account, of a version, for a key.
    var count: Int { places.count }
    func count(account: String) -> Int { accounts[account]?.count ?? 0 }
    func count(version: Int64) -> Int { byVersion[version] ?? 0 }
    func count(key: PoolKey) -> Int { byKey[key] ?? 0 }

    /// A call joins its line.
    mutating func append(_ key: PoolKey, _ account: String, now: UInt64) -> Int {
        lastTicket += 1
        // Behind those who wait: none of them is served twice before it is served once.
        var waiting = accounts.removeValue(forKey: account) ?? Account(turn: servings)
        waiting.lines[key, default: []].append(Waiting(ticket: lastTicket, since: now))
        waiting.count += 1
        accounts[account] = waiting
        places[lastTicket] = (account, key)
        byVersion[key.versionID, default: 0] += 1
        byKey[key, default: 0] += 1
        return lastTicket
    }

    /// A call leaves its line, served or not; false when it is in none.
    mutating func remove(_ ticket: Int, isServed: Bool) -> Bool {
        guard let (account, key) = places.removeValue(forKey: ticket) else { return false }
        if isServed { servings += 1 }
        if let place = accounts.index(forKey: account) {
            if isServed { accounts.values[place].turn = servings }
            accounts.values[place].remove(ticket, key)
            if accounts.values[place].count == 0 { accounts.remove(at: place) }
        }
        Self.take(1, from: &byVersion, key.versionID)
        Self.take(1, from: &byKey, key)
        return true
    }

    /// Whose turn it is of those who wait for a key.
    func first(of key: PoolKey) -> Waiting? {
        guard count(key: key) > 0 else { return nil }
        if !key.account.isEmpty { return accounts[key.account]?.lines[key]?.first }
        let firsts = accounts.values.compactMap { account in account.lines[key]?.first.map { (account.turn, $0) } }
        return firsts.min { ($0.0, $0.1.ticket) < ($1.0, $1.1.ticket) }?.1
    }

    /// The first of each line: accounts that were served longest ago first, and of each the call that waits longest.
    var firsts: [(account: String, key: PoolKey, waiting: Waiting)] {
        let found = accounts.flatMap { account, state in
            state.lines.compactMap { key, line in line.first.map { (state.turn, account, key, $0) } }
        }
        return found.sorted { ($0.0, $0.3.ticket) < ($1.0, $1.3.ticket) }.map { ($0.1, $0.2, $0.3) }
    }

    private static func take<Key>(_ count: Int, from counts: inout [Key: Int], _ key: Key) {
        guard let place = counts.index(forKey: key) else { return }
        counts.values[place] -= count
        if counts.values[place] <= 0 { counts.remove(at: place) }
    }
}
