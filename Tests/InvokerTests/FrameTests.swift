import NIOCore
import Testing

@testable import Invoker

@Suite struct FrameTests {
    private func bytes(_ header: FrameHeader) -> [UInt8] {
        var buffer = ByteBuffer()
        header.write(to: &buffer)
        return Array(buffer.readableBytesView)
    }

    @Test func `a header survives the way there and back`() {
        let header = FrameHeader(.call, flags: 2, length: 0x01020304, nonce: 0xA1B2_C3D4_E5F6_0718)
        let bytes = self.bytes(header)
        #expect(bytes == [0x5D, 0xFA, 2, 2, 4, 3, 2, 1, 0x18, 7, 0xF6, 0xE5, 0xD4, 0xC3, 0xB2, 0xA1])
        #expect(bytes.withUnsafeBytes { FrameHeader($0) } == header)
    }

    @Test(arguments: [0, 1, 15])
    func `fewer bytes than a header are none`(count: Int) {
        let bytes = self.bytes(FrameHeader(.call, length: 0, nonce: 1)).prefix(count)
        #expect(bytes.withUnsafeBytes { FrameHeader($0) } == nil)
    }

    @Test func `another magic is no header`() {
        var bytes = self.bytes(FrameHeader(.call, length: 0, nonce: 1))
        bytes[0] ^= 1
        #expect(bytes.withUnsafeBytes { FrameHeader($0) } == nil)
    }

    struct Field: Sendable {
        var length: UInt32
        var bytes: [UInt8]

        init(_ length: UInt32, _ bytes: [UInt8] = []) {
            self.length = length
            self.bytes = bytes
        }
    }

    private func payload(_ fields: [Field]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for field in fields {
            buffer.writeInteger(field.length, endianness: .little)
            buffer.writeBytes(field.bytes)
        }
        return buffer
    }

    @Test func `an error has three fields, and bytes that are not UTF-8 are replaced`() {
        let error = ReportedError(payload([Field(1, [0x41]), Field(2, [0x68, 0xFF]), Field(0)]))
        #expect(error == ReportedError(type: "A", message: "h\u{FFFD}", stackTrace: ""))
    }

    @Test(
        arguments: [
            [], [Field(1, [0x41])], [Field(9, [0x41]), Field(0), Field(0)], [Field(.max), Field(0), Field(0)],
            [Field(0), Field(0), Field(0), Field(0)],
        ] as [[Field]]
    )
    func `an error whose lengths lie is none`(fields: [Field]) {
        #expect(ReportedError(payload(fields)) == nil)
    }

    @Test(arguments: [8_191, 8_192, 8_193])
    func `a message is cut at its bound`(length: Int) {
        let message = [UInt8](repeating: 0x61, count: length)
        let error = ReportedError(payload([Field(0), Field(UInt32(length), message), Field(0)]))
        #expect(error?.message.utf8.count == min(length, 8_192))
    }
}
