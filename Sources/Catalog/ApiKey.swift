internal import Crypto

/// What a key may do.
public enum KeyKind: String, Sendable, CaseIterable {
    /// Calls algorithms.
    case algorithm
    /// Deploys and manages the algorithms of its user, and calls.
    case management
    /// Administers the daemon.
    case admin
}

/// A key, without its secret: that is shown once, at its creation, and kept as a hash only.
public struct ApiKey: Sendable, Hashable, Identifiable {
    /// Its public name: `key_` and 12 characters of a–z and 2–7.
    public let id: String
    /// The name of the user it acts for.
    public let user: String
    /// What it may do.
    public let kind: KeyKind
    /// What the user wrote about it, at most 100 characters.
    public let label: String
    /// The secret's first three and last four characters, `sim…wxyz`.
    public let mask: String
    /// When it was created, in microseconds since 1970 (UTC).
    public let createdMicroseconds: Int64
    /// Whether it was revoked; a revoked key never works again.
    public internal(set) var isRevoked: Bool
}

/// The SHA-256 hash of a secret.
///
/// Keys are looked up by it: a caller cannot steer the hash, so how long a comparison takes tells nothing about secrets.
struct KeyDigest: Hashable, Sendable {
    let bytes: [UInt8]

    init(secret: String) {
        var secret = secret
        var hash = SHA256()
        secret.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        bytes = Array(hash.finalize())
    }

    init(stored bytes: [UInt8]) { self.bytes = bytes }
}

/// Fresh random names for keys, from the kernel's generator.
enum KeyMaterial {
    private static let base62 = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567")

    /// A secret: `sim` and 25 characters, 148 random bits.
    static func secret() -> String { "sim" + random(base62, CatalogLimits.secretRandomCharacters) }

    /// An id: `key_` and 12 characters, 60 random bits.
    static func id() -> String { "key_" + random(base32, CatalogLimits.keyIDRandomCharacters) }

    static func mask(_ secret: String) -> String { "sim…\(secret.suffix(4))" }

    private static func random(_ alphabet: [Character], _ count: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }
}
