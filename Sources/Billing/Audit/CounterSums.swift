import SQLite

/// What the quota counters should be, added up from usage.
struct CounterSums {
    /// A counter's name: scope, metric and the number of its window.
    struct Key: Hashable, Sendable {
        let scope: String
        let metric: QuotaMetric
        let window: Int64
    }

    /// The counters of one scope: the windows that records fall into now, and those that are over.
    private struct Scope {
        let text: String
        var sums: [Key: Int64] = [:]
        var windows: [Int64] = QuotaMetric.budgets.map { _ in .min }
        var current: [Int64] = QuotaMetric.budgets.map { _ in 0 }

        mutating func add(_ place: Int, window: Int64, amount: Int64) {
            if windows[place] != window { turn(place, to: window) }
            current[place] &+= amount
        }

        private mutating func turn(_ place: Int, to window: Int64) {
            let metric = QuotaMetric.budgets[place]
            if current[place] != 0 {
                sums[Key(scope: text, metric: metric, window: windows[place])] = current[place]
            }
            current[place] = sums[Key(scope: text, metric: metric, window: window)] ?? 0
            windows[place] = window
        }

        mutating func settle() {
            for place in windows.indices { turn(place, to: .min) }
        }
    }

    private var scopes: [Scope] = []
    private var unpaid: [Key: Int64] = [:]
    private let places: [String: Int]
    private var groups = CallerGroups()
    private var time = Int64.min
    private var windows: [Int64] = QuotaMetric.budgets.map { _ in 0 }

    /// Begins to count.
    ///
    /// - Parameter scopes: those that have counters.
    init(scopes: Set<String>) {
        let names = scopes.sorted()
        places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        self.scopes = names.map { Scope(text: $0) }
    }

    /// Counts CPU time of the record counted last that nobody paid for.
    mutating func add(unpaid microseconds: Int64, by payers: Allowance.Payers, owner: String, algorithm: String) {
        guard let window = QuotaMetric.unpaidCPUDay.window?.index(at: time) else { return }
        let scopes = QuotaScope.matching(account: owner, keyID: "", algorithm: algorithm)
        let allowances: [(Allowance.Kind, String)] = [
            (.account, scopes[0]), (.author, QuotaScope.author(of: algorithm)), (.pair, scopes[3]),
        ]
        for (kind, scope) in allowances where payers.include(kind) {
            unpaid[Key(scope: scope, metric: .unpaidCPUDay, window: window), default: 0] &+= microseconds
        }
    }

    var isEmpty: Bool { scopes.isEmpty }

    /// Counts one usage record.
    mutating func add(
        owner: String,
        payer: Int64,
        key: UnsafeRawBufferPointer,
        algorithm: UnsafeRawBufferPointer,
        amount: Int64,
        cpu: Int64,
        time: Int64
    ) {
        if time != self.time {
            self.time = time
            windows = QuotaMetric.budgets.map { $0.window?.index(at: time) ?? 0 }
        }
        let group = groups.find(payer: payer, key: key, algorithm: algorithm) { [places] in
            let names = (String(decoding: key, as: UTF8.self), String(decoding: algorithm, as: UTF8.self))
            return QuotaScope.matching(account: owner, keyID: names.0, algorithm: names.1).compactMap { places[$0] }
        }
        for scope in group {
            for (place, metric) in QuotaMetric.budgets.enumerated() {
                scopes[scope].add(place, window: windows[place], amount: metric == .cpuSecondsMonth ? cpu : amount)
            }
        }
    }

    /// What has been counted, by counter.
    mutating func totals() -> [Key: Int64] {
        var all = unpaid
        for place in scopes.indices {
            scopes[place].settle()
            all.merge(scopes[place].sums) { first, _ in first }
        }
        return all
    }
}

/// Which scopes a payer, key and algorithm fall under; remembered, because texts are slow.
struct CallerGroups {
    private struct Entry {
        let hash: Int
        let payer: Int64
        let key: [UInt8]
        let algorithm: [UInt8]
        let scopes: [Int]
    }

    /// Entries kept; then it begins anew.
    private static let entriesMax = 100_000

    private var entries: [Entry] = []
    /// Places in `entries` by the low bits of the hash, -1 for none; at most half full.
    private var table = [Int](repeating: -1, count: 256)

    mutating func find(
        payer: Int64,
        key: UnsafeRawBufferPointer,
        algorithm: UnsafeRawBufferPointer,
        make: () -> [Int]
    ) -> [Int] {
        var hasher = Hasher()
        hasher.combine(payer)
        hasher.combine(bytes: key)
        hasher.combine(bytes: algorithm)
        let hash = hasher.finalize()
        var slot = hash & (table.count - 1)
        while table[slot] >= 0 {
            let entry = entries[table[slot]]
            if entry.hash == hash, entry.payer == payer, entry.key.elementsEqual(key),
                entry.algorithm.elementsEqual(algorithm)
            {
                return entry.scopes
            }
            slot = (slot + 1) & (table.count - 1)
        }
        let scopes = make()
        insert(Entry(hash: hash, payer: payer, key: Array(key), algorithm: Array(algorithm), scopes: scopes))
        return scopes
    }

    private mutating func insert(_ entry: Entry) {
        if entries.count == Self.entriesMax { (entries, table) = ([], [Int](repeating: -1, count: 256)) }
        entries.append(entry)
        if entries.count * 2 > table.count {
            table = [Int](repeating: -1, count: table.count * 2)
            for index in entries.indices { place(entries[index].hash, at: index) }
        } else {
            place(entry.hash, at: entries.count - 1)
        }
    }

    private mutating func place(_ hash: Int, at index: Int) {
        var slot = hash & (table.count - 1)
        while table[slot] >= 0 { slot = (slot + 1) & (table.count - 1) }
        table[slot] = index
    }
}
