import Glibc
import Synchronization

/// Random numbers of the kernel's, fetched some at a time: to ask for each costs as much as to charge a row.
///
/// - Source: getentropy(3), at most 256 bytes at once.
public enum Entropy {
    private struct Store: Sendable {
        var numbers = [UInt64](repeating: 0, count: 32)
        var left = 0
    }

    private static let store = Mutex(Store())

    /// A number that nobody has had before.
    public static func next() -> UInt64 { store.withLock { take(from: &$0) } }

    /// Two of them.
    static func pair() -> (UInt64, UInt64) { store.withLock { (take(from: &$0), take(from: &$0)) } }

    private static func take(from store: inout Store) -> UInt64 {
        if store.left == 0 {
            let code = store.numbers.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
            precondition(code == 0, "getentropy: \(errno)")
            store.left = store.numbers.count
        }
        store.left -= 1
        defer { store.numbers[store.left] = 0 }
        return store.numbers[store.left]
    }
}
