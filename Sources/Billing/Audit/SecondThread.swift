import Glibc
import Synchronization

/// Work on a thread of its own, whose result is waited for.
struct SecondThread<Value: Sendable>: Sendable {
    private let box: Box<Value>
    private let thread: pthread_t?

    /// Starts the work; when there is no thread to be had, it is done when the result is asked for.
    init(_ work: @escaping @Sendable () -> Value) {
        let box = Box(work)
        self.box = box
        var started = pthread_t()
        let context = Unmanaged<AnyRunnable>.passRetained(box)
        let code = pthread_create(
            &started,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<AnyRunnable>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        if code != 0 { context.release() }
        thread = code == 0 ? started : nil
    }

    /// Waits for the work; to be called once.
    func value() -> Value {
        if let thread { pthread_join(thread, nil) } else { box.run() }
        guard let value = box.result.withLock({ $0 }) else { preconditionFailure("the thread left no result") }
        return value
    }
}

/// @unchecked: subclasses keep their state behind a lock.
private class AnyRunnable: @unchecked Sendable {
    func run() {}
}

private final class Box<Value: Sendable>: AnyRunnable, @unchecked Sendable {
    let result = Mutex<Value?>(nil)
    private let work: @Sendable () -> Value

    init(_ work: @escaping @Sendable () -> Value) { self.work = work }

    override func run() {
        let value = work()
        result.withLock { $0 = value }
    }
}
