import Billing
import Foundation

/// A daemon that died with 10,000 open durable holds: how long until its successor's ledger is open.
enum RecoverRow {
    static let holds = 10_000

    static func run(_ options: Options) async throws -> String {
        let bench = try await BenchLedger(in: options.folder, mode: .durable)
        defer { bench.remove() }
        let (held, holder) = AsyncStream.makeStream(of: Void.self)
        let copy = bench.path + "-copy"
        let elapsed = try await withThrowingDiscardingTaskGroup(returning: Duration.self) { group in
            for number in 0..<holds {
                group.addTask {
                    let hold = try await bench.ledger.admit(bench.call(number))
                    holder.yield()
                    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
                    bench.ledger.release(hold)
                }
            }
            var count = 0
            for await _ in held {
                count += 1
                if count == holds { break }
            }
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: bench.path + suffix, toPath: copy + suffix)
            }
            let start = ContinuousClock.now
            let successor = try Ledger(path: copy) { error in fatalError("\(error)") }
            let elapsed = ContinuousClock.now - start
            successor.close()
            group.cancelAll()
            return elapsed
        }
        return "\(holds) open holds recovered in \(elapsed / .milliseconds(1)) ms"
    }
}
