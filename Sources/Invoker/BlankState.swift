/// How many blanks there should be: pure decisions, apart from their effects.
///
/// A blank is a boxed interpreter that has no version yet. Each class of limits has blanks of its own. Their number follows
/// the recent rate of takings and the time it takes to make one.
struct BlankState<Class: Hashable & Sendable>: Sendable {
    /// What is to be done next.
    enum Step: Equatable, Sendable {
        case make(Class)
        case drop(Class)
    }

    private struct Shelf: Sendable {
        var ready = 0
        var making = 0
        /// Takings a second, an average that forgets over `memorySeconds`.
        var rate = 0.0
        var since: UInt64
    }

    /// How fast a rate is forgotten.
    static var memorySeconds: Double { 10 }
    /// How many times the making time a shelf should last.
    static var cover: Double { 20 }
    /// A class that was not asked for this long has no blanks.
    static var classMemorySeconds: Double { 60 }

    private let floor: Int
    private let most: Int
    private let usual: Class?
    private var shelves: [Class: Shelf] = [:]
    /// How long one takes to make, averaged; seconds.
    private(set) var makingSeconds = 0.005

    /// - Parameters:
    ///   - floor: blanks of a class that is in use, at least.
    ///   - most: blanks of all classes together; 0 for none at all.
    ///   - usual: the class that has blanks before anybody asks.
    ///   - now: nanoseconds.
    init(floor: Int, most: Int, usual: Class?, now: UInt64) {
        (self.floor, self.most, self.usual) = (min(floor, most), most, usual)
        if let usual { shelves[usual] = Shelf(since: now) }
    }

    /// Blanks that are ready, of all classes.
    var ready: Int { shelves.values.reduce(0) { $0 + $1.ready } }

    /// Somebody wants one; whether there is one.
    mutating func take(_ wanted: Class, now: UInt64) -> Bool {
        var shelf = decayed(shelves[wanted] ?? Shelf(since: now), now)
        shelf.rate += 1 / Self.memorySeconds
        let isThere = shelf.ready > 0
        if isThere { shelf.ready -= 1 }
        shelves[wanted] = shelf
        return isThere
    }

    /// A class that will be wanted soon.
    mutating func expect(_ kind: Class, now: UInt64) { shelves[kind, default: Shelf(since: now)].since = now }

    /// One that was ordered is there, after so long; nil when it could not be made.
    mutating func made(_ kind: Class, seconds: Double?) {
        shelves[kind]?.making -= 1
        guard let seconds else { return }
        makingSeconds += (seconds - makingSeconds) / 8
        shelves[kind]?.ready += 1
    }

    /// One that was ready is gone: it died, or its zygote was too old.
    mutating func lost(_ kind: Class) { shelves[kind]?.ready -= 1 }

    /// What to do next; a `make` is counted as under way until `made`.
    ///
    /// - Parameters:
    ///   - now: nanoseconds.
    ///   - isShort: whether the host's memory is short, when there should be none.
    ///   - canMake: whether one of this class can be made just now.
    /// - Returns: the step, nil when all is as it should be.
    mutating func next(now: UInt64, isShort: Bool, canMake: (Class) -> Bool = { _ in true }) -> Step? {
        for kind in shelves.keys where kind != usual && age(shelves[kind], now) > Self.classMemorySeconds {
            guard shelves[kind]?.ready == 0, shelves[kind]?.making == 0 else { continue }
            shelves[kind] = nil
        }
        let targets = shelves.map {
            (kind: $0.key, shelf: $0.value, target: isShort ? 0 : target($0.key, $0.value, now))
        }
        if let surplus = targets.first(where: { $0.shelf.ready > $0.target }) {
            shelves[surplus.kind]?.ready -= 1
            return .drop(surplus.kind)
        }
        let all = shelves.values.reduce(0) { $0 + $1.ready + $1.making }
        // The emptiest first: a class without any is the one whose next call waits.
        let poorest = targets.filter { $0.shelf.ready + $0.shelf.making < $0.target && canMake($0.kind) }
            .min { $0.shelf.ready + $0.shelf.making < $1.shelf.ready + $1.shelf.making }
        guard let poorest, all < most else { return nil }
        shelves[poorest.kind]?.making += 1
        return .make(poorest.kind)
    }

    private func target(_ kind: Class, _ shelf: Shelf, _ now: UInt64) -> Int {
        if kind != usual, age(shelf, now) > Self.classMemorySeconds { return 0 }
        return min(most, floor + Int(decayed(shelf, now).rate * makingSeconds * Self.cover))
    }

    private func age(_ shelf: Shelf?, _ now: UInt64) -> Double {
        guard let shelf, now > shelf.since else { return 0 }
        return Double(now - shelf.since) / 1e9
    }

    private func decayed(_ shelf: Shelf, _ now: UInt64) -> Shelf {
        var shelf = shelf
        shelf.rate *= 1 / (1 + age(shelf, now) / Self.memorySeconds)
        shelf.since = max(now, shelf.since)
        return shelf
    }
}
