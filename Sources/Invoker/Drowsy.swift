internal import NIOCore

/// Which of the idle workers are still awake, or on their way to standing still: pure decisions.
///
/// A worker that has answered stays awake for a moment, because to freeze and thaw it costs as much as many a call, and
/// the next call often is there before. Then it is frozen, and looked at again until it stands still; one that does not is
/// to be ended, because it would run unmetered.
struct Drowsy: Sendable {
    enum Step: Sendable, Equatable {
        case freeze
        /// Look whether it stands still; the last time it must.
        case look(isLast: Bool)
    }

    /// How long a worker stays awake, and how long each look at one that does not stand still yet is apart.
    static let awakeNanoseconds: UInt64 = 2_000_000
    /// How long it may take to stand still.
    static let fallingNanoseconds: UInt64 = 100_000_000

    private struct Entry: Sendable {
        let worker: Int
        let due: UInt64
        /// When it was frozen; nil before.
        var frozen: UInt64?
    }

    /// In order of what is due, because all wait for the same time.
    private var line = CircularBuffer<Entry>()

    /// Whether nothing will ever be due.
    var isEmpty: Bool { line.isEmpty }
    /// When the next one is due; nil when none is.
    var nextDue: UInt64? { line.first?.due }

    /// A worker has come to rest awake; each rest of a worker has a number of its own.
    mutating func rests(_ worker: Int, now: UInt64) {
        line.append(Entry(worker: worker, due: now + Self.awakeNanoseconds))
    }

    /// A worker was frozen when it was due, or does not stand still yet.
    ///
    /// - Parameters:
    ///   - worker: which.
    ///   - frozen: when it was told to stand still.
    ///   - now: nanoseconds.
    mutating func falls(_ worker: Int, since frozen: UInt64, now: UInt64) {
        line.append(Entry(worker: worker, due: now + Self.awakeNanoseconds, frozen: frozen))
    }

    /// What is due next; nil when nothing is yet.
    ///
    /// - Returns: the worker, what to do, and since when it was to stand still, which is now for one to be frozen.
    mutating func due(now: UInt64) -> (worker: Int, step: Step, since: UInt64)? {
        guard let first = line.first, first.due <= now else { return nil }
        line.removeFirst()
        guard let frozen = first.frozen else { return (first.worker, .freeze, now) }
        return (first.worker, .look(isLast: now - frozen >= Self.fallingNanoseconds), frozen)
    }
}
