import Foundation
import Synchronization

/// Whether the daemon is ending on purpose, so that the end of the spawner is no accident.
enum Shutdown {
    private static let flag = Atomic(false)

    static var isUnderWay: Bool { flag.load(ordering: .acquiring) }

    static func begin() { flag.store(true, ordering: .releasing) }
}

extension Thread {
    /// Runs a closure on a new thread that lives as long as it needs.
    static func detach(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.start()
    }
}
