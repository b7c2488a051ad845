public import Glibc

/// An open file descriptor with one owner, closed when the owner lets go of it.
///
/// - Source: style of `open(2)`; the number is close-on-exec from its creation, which is the creator's duty.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, borrowed: valid as long as this value lives.
    public let raw: CInt

    /// Takes ownership of `raw`, which must be open and not negative.
    public init(owning raw: CInt) {
        precondition(raw >= 0, "a descriptor is not negative, got \(raw)")
        self.raw = raw
    }

    deinit { close(raw) }

    /// Opens a path with `O_CLOEXEC`.
    ///
    /// - Throws: `SandboxError` of step `open`, with the path.
    public static func open(
        _ path: String,
        _ flags: CInt,
        mode: mode_t = 0
    ) throws(SandboxError) -> Descriptor {
        let raw = Glibc.open(path, flags | O_CLOEXEC, mode)
        guard raw >= 0 else { throw SandboxError("open", errno: errno, path) }
        return Descriptor(owning: raw)
    }

    /// Gives the number away; the receiver closes it.
    public consuming func release() -> CInt {
        let number = raw
        discard self
        return number
    }
}
