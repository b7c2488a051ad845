import Crypto
import Glibc
import SQLite

/// The last block of a ledger at some moment, signed: kept elsewhere, it shows later whether the chain was cut or rewritten.
public struct SignedHead: Sendable, Equatable, Codable {
    /// The block's number.
    public let block: Int64
    /// Its hash, in hexadecimal digits.
    public let hash: String
    /// Its time, in microseconds of Unix time.
    public let timeMicroseconds: Int64
    /// Its time, ISO 8601 in UTC.
    public let time: String
    /// The key that signed, Ed25519 in hexadecimal digits; nil for a head that is not signed.
    public let publicKey: String?
    /// The signature over ``statement``, in hexadecimal digits.
    public let signature: String?

    enum CodingKeys: String, CodingKey {
        case block, hash, time, signature
        case timeMicroseconds = "time_us"
        case publicKey = "public_key"
    }

    init(block: Int64, hash: [UInt8], timeMicroseconds: Int64, key: HeadKey?) throws(LedgerError) {
        self.block = block
        self.hash = hexadecimal(hash)
        self.timeMicroseconds = timeMicroseconds
        time = iso8601(microseconds: timeMicroseconds)
        publicKey = key?.publicKey
        let statement = Self.statement(block: block, hash: self.hash, timeMicroseconds: timeMicroseconds)
        signature = try key?.sign(statement)
    }

    /// What is signed.
    var statement: String { Self.statement(block: block, hash: hash, timeMicroseconds: timeMicroseconds) }

    private static func statement(block: Int64, hash: String, timeMicroseconds: Int64) -> String {
        "faasd ledger head 1\n\(block)\n\(hash)\n\(timeMicroseconds)\n"
    }

    /// Checks the signature.
    ///
    /// - Parameter trusted: the key it must be of; nil believes the key that the head itself names.
    /// - Returns: why it proves nothing; nil when it is right, or when there is none and nobody must have signed.
    func fault(trusting trusted: String?) -> String? {
        guard let publicKey, let signature else { return trusted == nil ? nil : "it is not signed" }
        if let trusted, trusted.lowercased() != publicKey.lowercased() {
            return "it is signed by the key \(publicKey), not by \(trusted)"
        }
        guard
            let key = bytes(hexadecimal: publicKey).flatMap({ try? Curve25519.Signing.PublicKey(rawRepresentation: $0) }
            ),
            let signature = bytes(hexadecimal: signature),
            key.isValidSignature(signature, for: Array(statement.utf8))
        else { return "its signature is not of what it says" }
        return nil
    }
}

/// The key with which a daemon signs the heads of its ledger.
public struct HeadKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    /// The key for checking, in hexadecimal digits.
    public var publicKey: String { hexadecimal(Array(key.publicKey.rawRepresentation)) }

    /// Reads the key, or makes it.
    ///
    /// - Parameters:
    ///   - path: the file: 64 hexadecimal digits, for its owner's eyes only.
    ///   - isMade: whether a missing file is made, mode 0600.
    /// - Throws: `LedgerError` with kind `.open`.
    public init(path: String, makingIfMissing isMade: Bool) throws(LedgerError) {
        if isMade, access(path, F_OK) != 0 { try Self.make(path) }
        guard let file = fopen(path, "re") else { throw Self.failure(path) }
        defer { fclose(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = fread(&text, 1, text.count, file)
        let digits = String(decoding: text[..<count].filter { $0 > 0x20 }, as: UTF8.self)
        guard let raw = bytes(hexadecimal: digits), let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: raw)
        else { throw LedgerError(.open, "\(path) is no signing key: wanted 64 hexadecimal digits") }
        self.key = key
    }

    private static func make(_ path: String) throws(LedgerError) {
        let digits = hexadecimal(Array(Curve25519.Signing.PrivateKey().rawRepresentation)) + "\n"
        // Whole or not at all: it appears under its name when it is on disk.
        let draft = "\(path).new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(draft) }
        let isWritten = write(descriptor, digits, digits.utf8.count) == digits.utf8.count && fsync(descriptor) == 0
        Glibc.close(descriptor)
        guard isWritten, rename(draft, path) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> LedgerError {
        LedgerError(.open, "\(path): \(String(cString: strerror(errno)))")
    }

    func sign(_ text: String) throws(LedgerError) -> String {
        do {
            return hexadecimal(Array(try key.signature(for: Array(text.utf8))))
        } catch {
            throw LedgerError(.invalid, "the head could not be signed: \(error)")
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// Reads hexadecimal digits, two for each byte; nil for anything else.
func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.unicodeScalars.map { Character($0).hexDigitValue }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
        guard let high = digits[place], let low = digits[place + 1] else { return nil }
        bytes.append(UInt8(high << 4 | low))
    }
    return bytes
}
