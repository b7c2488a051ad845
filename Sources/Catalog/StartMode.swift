/// How workers of a version come to be.
public enum StartMode: String, Sendable, CaseIterable {
    /// Forked from the platform's zygote where there is one, else executed.
    case fork
    /// The interpreter is executed for each worker.
    ///
    /// Nothing is shared with other boxes, not even the address layout and the seed of `hash()`; it costs some 30 ms
    /// per worker.
    case exec
    /// The first worker of a caller loads the version once; further workers of the same caller are forked from it.
    ///
    /// They share what `load()` made until they write to it. They also share `/tmp` and see each other's processes,
    /// which is why an author has to ask for it. A version with threads or child processes after `load()` is started
    /// as with ``exec``.
    case template
}
