internal import Crypto

/// What a version runs with, exactly: resolved once, at its deploy, and kept with it.
public struct VersionLock: Sendable, Equatable {
    /// The interpreter it was built for, as `cpython-311 3.11.2 linux-x86_64 glibc-2.36`.
    public let interpreter: String
    /// The installed distributions, as a requirements.txt of `NAME==VERSION --hash=sha256:DIGEST` lines; empty for none.
    public let requirements: String

    /// The name of this environment: 64 hexadecimal digits, the same for all versions with the same lock.
    public var environment: String {
        SHA256.hash(data: Array((interpreter + "\n" + requirements).utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

extension String {
    /// The text without one newline at its end.
    var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
