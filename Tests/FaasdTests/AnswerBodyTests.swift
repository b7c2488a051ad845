import Foundation
import NIOCore
import Testing

@testable import faasd

extension AnswerBody {
    /// All pieces in one.
    var whole: ByteBuffer {
        var (left, whole) = (self, ByteBuffer())
        while let piece = left.next() { whole.writeImmutableBuffer(piece) }
        return whole
    }
}

@Suite struct AnswerBodyTests {
    private static let piece = AnswerBody.pieceBytes
    private static let sizes = [0, 1, 2, 3, piece - 1, piece, piece + 1, 3 * piece + 5]

    private func value(_ body: AnswerBody) throws -> Any {
        #expect(body.whole.readableBytes == body.byteCount)
        return try JSONSerialization.jsonObject(with: Data(body.whole.readableBytesView), options: .fragmentsAllowed)
    }

    @Test(arguments: sizes)
    func `base64 in pieces is that of the whole`(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97) }
        var body = AnswerBody()
        body.writeJSON(base64: ByteBuffer(bytes: bytes))
        #expect(try value(body) as? String == Data(bytes).base64EncodedString())
    }

    @Test(arguments: sizes, ["x", "\u{1}", "\"", "é"])
    func `text in pieces reads back the same, and its length is known before`(count: Int, letter: String) throws {
        let text = String(repeating: letter, count: count)
        var (body, other) = (AnswerBody(), AnswerBody())
        body.writeJSON(text: ByteBuffer(string: text))
        other.writeJSON(text)
        #expect(try value(body) as? String == text)
        #expect(try value(other) as? String == text)
    }

    @Test(arguments: sizes)
    func `bytes are passed on as they are, in pieces with memory of their own`(count: Int) {
        let bytes = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0) })
        var body = AnswerBody(bytes)
        #expect(body.whole == bytes && body.byteCount == count)
        while let piece = body.next() {
            #expect(piece.readableBytes <= Self.piece && piece.storageCapacity < 2 * Self.piece)
        }
    }

    @Test func `the largest growth is one piece's`() {
        var body = AnswerBody()
        body.writeJSON(text: ByteBuffer(repeating: 1, count: 1 << 20))
        #expect(body.byteCount == (6 << 20) + 2)
        while let piece = body.next() { #expect(piece.readableBytes <= 6 * Self.piece) }
    }
}
