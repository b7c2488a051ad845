import Synchronization

/// How many bytes of request bodies may be in memory at one time, all callers together.
///
/// Taken before a body is read, by its announced length, and held until its request is answered, so that many large
/// or slow uploads cannot add up to more than the host has.
final class BodyBudget: Sendable {
    private let taken = Mutex(0)
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Room for one body, given back when nobody refers to it any more.
    final class Room: Sendable {
        private let budget: BodyBudget
        private let bytes: Int

        fileprivate init(budget: BodyBudget, bytes: Int) {
            self.budget = budget
            self.bytes = bytes
        }

        deinit { budget.taken.withLock { $0 -= bytes } }

        /// Keeps it until here.
        func giveBack() {}
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
