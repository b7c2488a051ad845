import Foundation
import NIOCore

/// Writes JSON by hand where the payload must not be decoded.
extension ByteBuffer {
    /// A string literal, quotes included.
    ///
    /// Bytes that are not UTF-8 must not come here.
    mutating func writeJSONString(_ text: String) {
        var text = text
        text.withUTF8 { writeJSONString(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// A string literal of bytes that are known to be UTF-8.
    mutating func writeJSONString(bytes: UnsafeRawBufferPointer) {
        writeInteger(UInt8(ascii: "\""))
        var start = 0
        for index in bytes.indices {
            guard let escape = Self.escape(bytes[index]) else { continue }
            writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
            writeString(escape)
            start = index + 1
        }
        writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        writeInteger(UInt8(ascii: "\""))
    }

    /// Bytes as base64 in a string literal.
    mutating func writeJSONBase64(_ bytes: UnsafeRawBufferPointer) {
        writeInteger(UInt8(ascii: "\""))
        writeBytes(Data(bytes).base64EncodedData())
        writeInteger(UInt8(ascii: "\""))
    }

    private static func escape(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "\""): "\\\""
        case UInt8(ascii: "\\"): "\\\\"
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        case 0..<0x20, 0x7F: "\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        default: nil
        }
    }

    /// Seconds with nanoseconds, as a JSON number.
    mutating func writeJSONSeconds(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = String(attoseconds / 1_000_000_000)
        writeString("\(seconds).\(String(repeating: "0", count: 9 - nanoseconds.utf8.count))\(nanoseconds)")
    }
}
