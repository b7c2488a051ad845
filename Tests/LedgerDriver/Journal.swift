import Glibc

/// The lines that tell the test what was asked and answered, in one total order; what is written survives `kill -9`.
///
/// - Shape: a pipe or a file; each line is one `write`, which the kernel keeps in one piece (O_APPEND, PIPE_BUF).
struct Journal: Sendable {
    private let descriptor: Int32

    struct CannotOpen: Error {
        let path: String
        let errno: Int32
    }

    /// - Parameter path: appended to; made when it is missing.
    /// - Throws: `CannotOpen`.
    init(path: String) throws(CannotOpen) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CannotOpen(path: path, errno: errno) }
    }

    private init(descriptor: Int32) { self.descriptor = descriptor }

    static let standardOutput = Journal(descriptor: 1)
    static let standardError = Journal(descriptor: 2)

    func write(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { bytes in _ = Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }
}
