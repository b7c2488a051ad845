import Billing
import Foundation
import Invoker
import NIOCore

/// The body of an answer, encoded piece by piece as its client takes it.
///
/// A result may grow sixfold when it is written as JSON; what is in memory is the result itself and one piece.
struct AnswerBody: Sendable {
    private enum Part: Sendable {
        /// Written as they are.
        case bytes(ByteBuffer)
        /// UTF-8 to be escaped, without the quotes.
        case text(ByteBuffer)
        /// Written as base64, without quotes.
        case base64(ByteBuffer)
    }

    /// Bytes of a part that become one piece; a multiple of three, so that base64 has padding at its end only.
    static let pieceBytes = 48 << 10
    /// Texts up to here are escaped at once.
    private static let shortBytes = 4 << 10

    private var parts: [Part] = []
    /// Bytes of the whole body as it goes over the wire.
    private(set) var byteCount = 0

    /// Nothing.
    init() {}

    /// Bytes that are passed on as they are.
    init(_ bytes: ByteBuffer) { append(bytes) }

    /// Adds what needs no escaping.
    mutating func write(_ text: String) { extend { $0.writeString(text) } }

    /// Adds a string literal, quotes included.
    mutating func writeJSON(_ text: String) {
        guard text.utf8.count > Self.shortBytes else { return extend { $0.writeJSONString(text) } }
        writeJSON(text: ByteBuffer(string: text))
    }

    /// Adds bytes that are known to be UTF-8 as a string literal.
    mutating func writeJSON(text: ByteBuffer) {
        write("\"")
        parts.append(.text(text))
        byteCount += text.withUnsafeReadableBytes(ByteBuffer.jsonEscapedByteCount)
        write("\"")
    }

    /// Adds bytes as base64 in a string literal.
    mutating func writeJSON(base64 bytes: ByteBuffer) {
        write("\"")
        parts.append(.base64(bytes))
        byteCount += (bytes.readableBytes + 2) / 3 * 4
        write("\"")
    }

    /// Adds an invocation's name.
    mutating func write(_ invocation: InvocationID) { extend { $0.writeName(of: invocation) } }

    /// Adds bytes that are JSON already.
    mutating func append(_ bytes: ByteBuffer) {
        // Few bytes are copied: a part of their own costs more.
        guard bytes.readableBytes > Self.shortBytes else { return extend { $0.writeImmutableBuffer(bytes) } }
        parts.append(.bytes(bytes))
        byteCount += bytes.readableBytes
    }

    /// Lets a writer add to the last part, if that is a short one.
    private mutating func extend(_ write: (inout ByteBuffer) -> Void) {
        var last = ByteBuffer()
        if case .bytes(let bytes)? = parts.last, bytes.readableBytes < Self.shortBytes {
            last = bytes
            parts.removeLast()
        } else if parts.isEmpty {
            last.reserveCapacity(Self.firstBytes)
        }
        byteCount -= last.readableBytes
        write(&last)
        byteCount += last.readableBytes
        parts.append(.bytes(last))
    }

    /// Room for a short answer.
    private static let firstBytes = 256

    /// All of it at once.
    var whole: ByteBuffer {
        if parts.count == 1, case .bytes(let bytes) = parts[0] { return bytes }
        var (left, whole) = (self, ByteBuffer())
        while let piece = left.next() { whole.writeImmutableBuffer(piece) }
        return whole
    }

    /// Takes the next piece; nil at the end.
    ///
    /// It has memory of its own, so that one piece that waits in a connection does not keep a whole result.
    mutating func next() -> ByteBuffer? {
        while let part = parts.first {
            switch part {
            case .bytes(var left):
                guard let taken = take(from: &left, Part.bytes) else { continue }
                return taken.withUnsafeReadableBytes { ByteBuffer(bytes: $0) }
            case .text(var left):
                guard let taken = take(from: &left, Part.text) else { continue }
                var piece = ByteBufferAllocator().buffer(capacity: taken.readableBytes + taken.readableBytes / 8)
                taken.withUnsafeReadableBytes { piece.writeJSONEscaped($0) }
                return piece
            case .base64(var left):
                guard let taken = take(from: &left, Part.base64) else { continue }
                return ByteBuffer(bytes: taken.withUnsafeReadableBytes { Data($0).base64EncodedData() })
            }
        }
        return nil
    }

    /// The next bytes of the first part, which then has what is left; nil when that was nothing, and the part is gone.
    private mutating func take(from left: inout ByteBuffer, _ part: (ByteBuffer) -> Part) -> ByteBuffer? {
        guard left.readableBytes > 0, let taken = left.readSlice(length: min(left.readableBytes, Self.pieceBytes))
        else {
            parts.removeFirst()
            return nil
        }
        parts[0] = part(left)
        return taken
    }
}
