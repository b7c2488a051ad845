import Hummingbird
import NIOCore
import Synchronization

/// How many bytes of request bodies may be in memory at one time, all callers together.
///
/// Counted as they arrive, not as they are announced (the short ones of `CallLane` when they are whole), and until their call
/// or deploy has ended. Requests are refused
/// when all room, or half of it by one account, is taken. Answers have a bound of their own: `AnswerRoom`.
final class BodyBudget: Sendable {
    private struct Taken {
        var all = 0
        var byAccount: [String: Int] = [:]
    }

    private let taken = Mutex(Taken())
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Room for the body of one request, given back when nobody refers to it any more.
    final class Room: Sendable {
        private let budget: BodyBudget
        private let account: String
        private let bytes = Mutex(0)

        fileprivate init(budget: BodyBudget, account: String) {
            self.budget = budget
            self.account = account
        }

        deinit { budget.change(account, by: -bytes.withLock { $0 }) }

        /// Takes more room; false, and nothing is taken, when there is none just now.
        func grow(by count: Int) -> Bool {
            guard budget.take(account, count) else { return false }
            bytes.withLock { $0 += count }
            return true
        }

        /// Does nothing but exist, so that the room does too.
        func keepUntilHere() {}
    }

    /// Opens an account of one request, with nothing in it.
    func room(for account: String) -> Room { Room(budget: self, account: account) }

    /// Why a body was not read to its end.
    enum Failure: Error { case noRoom, tooLarge }

    /// Reads a body into memory, as long as there is room for it.
    func collect(_ body: RequestBody, upTo most: Int, in room: Room) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        for try await piece in body {
            guard whole.readableBytes + piece.readableBytes <= most else { throw Failure.tooLarge }
            guard room.grow(by: piece.readableBytes) else { throw Failure.noRoom }
            whole.writeImmutableBuffer(piece)
        }
        return whole
    }

    private func take(_ account: String, _ bytes: Int) -> Bool {
        taken.withLock { taken in
            let own = taken.byAccount[account, default: 0]
            guard taken.all + bytes <= bytesMax, own + bytes <= bytesMax / 2 else { return false }
            taken.all += bytes
            taken.byAccount[account] = own + bytes
            return true
        }
    }

    private func change(_ account: String, by bytes: Int) {
        taken.withLock { taken in
            taken.all += bytes
            let own = taken.byAccount[account, default: 0] + bytes
            taken.byAccount[account] = own == 0 ? nil : own
        }
    }
}
