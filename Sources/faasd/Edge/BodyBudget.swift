import Synchronization

/// How many bytes of request bodies may be in memory at one time, all callers together.
///
/// Taken before a body is read, by its announced length, and held until its request is answered, so that many large
/// or slow uploads cannot add up to more than the host has.
final class BodyBudget: Sendable {
    private let taken = Mutex(0)
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Room for one body, given back when this value ends.
    struct Room: ~Copyable {
        fileprivate let budget: BodyBudget
        fileprivate let bytes: Int

        deinit { budget.taken.withLock { $0 -= bytes } }

        /// Ends it here, and keeps it until here.
        consuming func giveBack() {}
    }

    /// Takes room for that many bytes; nil when there is none just now.
    func reserve(_ bytes: Int) -> Room? {
        let isGranted = taken.withLock { taken in
            guard taken + bytes <= bytesMax else { return false }
            taken += bytes
            return true
        }
        return isGranted ? Room(budget: self, bytes: bytes) : nil
    }
}
