import NIOCore

/// Writes JSON by hand where the payload must not be decoded.
extension ByteBuffer {
    /// A string literal, quotes included. Bytes that are not UTF-8 must not come here.
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
        reserveCapacity(minimumWritableBytes: (bytes.count + 2) / 3 * 4 + 1)
        var index = 0
        while index + 3 <= bytes.count {
            writeQuartet(bytes[index], bytes[index + 1], bytes[index + 2])
            index += 3
        }
        switch bytes.count - index {
        case 1: writeQuartet(bytes[index], 0, 0, padding: 2)
        case 2: writeQuartet(bytes[index], bytes[index + 1], 0, padding: 1)
        default: break
        }
        writeInteger(UInt8(ascii: "\""))
    }

    private mutating func writeQuartet(_ a: UInt8, _ b: UInt8, _ c: UInt8, padding: Int = 0) {
        let word = UInt32(a) << 16 | UInt32(b) << 8 | UInt32(c)
        var quartet: UInt32 = 0
        for place in 0..<4 {
            let digit = UInt8(word >> UInt32(18 - 6 * place) & 63)
            let letter = place >= 4 - padding ? UInt8(ascii: "=") : Self.base64Letter(digit)
            quartet = quartet << 8 | UInt32(letter)
        }
        writeInteger(quartet)
    }

    private static func base64Letter(_ digit: UInt8) -> UInt8 {
        switch digit {
        case 0..<26: UInt8(ascii: "A") + digit
        case 26..<52: UInt8(ascii: "a") + digit - 26
        case 52..<62: UInt8(ascii: "0") + digit - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
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
