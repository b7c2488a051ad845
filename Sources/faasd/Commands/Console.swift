import Foundation
import Synchronization

/// What a command prints.
enum Console {
    /// Writes a line to standard error.
    static func complain(_ message: String) {
        FileHandle.standardError.write(Data((message + "\n").utf8))
    }

    /// One JSON document, keys in order, for scripts.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// From the synchronous world, in which privileges are dropped while there is one thread, into the asynchronous one.
enum Blocking {
    /// Runs asynchronous work to its end on the cooperative pool while this, the main, thread waits.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
        let result = Mutex<Value?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        // Unstructured because nothing asynchronous exists yet that could own it.
        Task.detached {
            let value = await work()
            result.withLock { $0 = value }
            isDone.signal()
        }
        isDone.wait()
        guard let value = result.withLock({ $0 }) else { preconditionFailure("the work ended without a value") }
        return value
    }
}
