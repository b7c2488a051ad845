import Synchronization

/// How many bytes of request bodies may be in memory at one time, all callers together.
///
/// Taken before a body is read, by its announced length, cut to its real one, and held until its call or deploy has
/// ended, so that many large or slow uploads cannot add up to more than the host has. No account gets more than half.
final class BodyBudget: Sendable {
    private struct Taken {
        var all = 0
        var byAccount: [String: Int] = [:]
    }

    private let taken = Mutex(Taken())
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Room for one body, given back when nobody refers to it any more.
    final class Room: Sendable {
        private let budget: BodyBudget
        private let account: String
        private let bytes: Mutex<Int>

        fileprivate init(budget: BodyBudget, account: String, bytes: Int) {
            self.budget = budget
            self.account = account
            self.bytes = Mutex(bytes)
        }

        deinit { budget.change(account, by: -bytes.withLock { $0 }) }

        /// Gives back what a body did not need after all.
        func shrink(to needed: Int) {
            let unused = bytes.withLock { bytes in
                let unused = max(0, bytes - needed)
                bytes -= unused
                return unused
            }
            budget.change(account, by: -unused)
        }

        /// Does nothing but exist, so that the room does too.
        func keepUntilHere() {}
    }

    /// Takes room for that many bytes; nil when there is none just now.
    func reserve(_ bytes: Int, for account: String) -> Room? {
        let isGranted = taken.withLock { taken in
            let own = taken.byAccount[account, default: 0]
            guard taken.all + bytes <= bytesMax, own + bytes <= bytesMax / 2 else { return false }
            taken.all += bytes
            taken.byAccount[account] = own + bytes
            return true
        }
        return isGranted ? Room(budget: self, account: account, bytes: bytes) : nil
    }

    private func change(_ account: String, by bytes: Int) {
        taken.withLock { taken in
            taken.all += bytes
            let own = taken.byAccount[account, default: 0] + bytes
            taken.byAccount[account] = own == 0 ? nil : own
        }
    }
}
