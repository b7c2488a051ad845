import Billing
import Synchronization

/// Keeps holds, which no array can, as tasks that wait to be told to let go.
final class Holder: Sendable {
    private let ledger: Ledger
    private let keepers = Mutex<[AsyncStream<Void>.Continuation]>([])

    init(_ ledger: Ledger) { self.ledger = ledger }

    deinit { for keeper in keepers.withLock({ $0 }) { keeper.finish() } }

    /// Admits a call and keeps its hold until ``releaseOne()``.
    func admit(_ call: CallDescription) async throws {
        let ledger = self.ledger
        let (kept, keeper) = AsyncStream.makeStream(of: Void.self)
        let (admitted, admission) = AsyncStream.makeStream(of: Result<Void, Refusal>.self)
        // Unstructured: the hold lives beyond this function; cancellation is passed on below.
        let task = Task {
            do throws(Refusal) {
                let hold = try await ledger.admit(call)
                admission.yield(.success(()))
                for await _ in kept {}
                ledger.release(hold)
            } catch {
                admission.yield(.failure(error))
            }
        }
        let result = await withTaskCancellationHandler {
            // The stream ends at cancellation; the task's own cancellation then brings the refusal.
            await Task { await admitted.first { _ in true } }.value
        } onCancel: {
            task.cancel()
        }
        _ = try result?.get()
        keepers.withLock { $0.append(keeper) }
    }

    /// Gives the oldest hold back.
    func releaseOne() {
        keepers.withLock { $0.isEmpty ? nil : $0.removeFirst() }?.finish()
    }
}

final class Order: Sendable {
    private let noted = Mutex<[Int]>([])

    var places: [Int] { noted.withLock { $0 } }
    func note(_ place: Int) { noted.withLock { $0.append(place) } }
}
