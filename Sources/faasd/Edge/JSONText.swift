import NIOCore

/// Writes JSON by hand where the payload must not be decoded.
extension ByteBuffer {
    /// A string literal, quotes included.
    ///
    /// Bytes that are not UTF-8 must not come here.
    mutating func writeJSONString(_ text: String) {
        var text = text
        writeInteger(UInt8(ascii: "\""))
        text.withUTF8 { writeJSONEscaped(UnsafeRawBufferPointer($0)) }
        writeInteger(UInt8(ascii: "\""))
    }

    /// The inside of a string literal, of bytes that are known to be UTF-8; any cut between two bytes will do.
    mutating func writeJSONEscaped(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        let counts = Self.escapedByteCounts
        for index in 0..<bytes.count where counts[Int(bytes[index])] > 1 {
            if index > start { writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start..<index])) }
            writeString(Self.escapes[Int(bytes[index])])
            start = index + 1
        }
        writeBytes(UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }

    /// How many bytes `writeJSONEscaped` makes of these.
    static func jsonEscapedByteCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        escapedByteCounts.withUnsafeBufferPointer { counts in
            var sum = 0
            for byte in bytes { sum &+= Int(counts[Int(byte)]) }
            return sum
        }
    }

    /// What stands for each byte; nothing where it stands for itself.
    private static let escapes = (UInt8.min...UInt8.max).map { escape($0) ?? "" }
    /// How many bytes stand for each byte.
    private static let escapedByteCounts = escapes.map { UInt8(max(1, $0.utf8.count)) }

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
}

extension Duration {
    /// Seconds with nanoseconds, as a JSON number.
    var jsonSeconds: String {
        let (seconds, attoseconds) = components
        return "\(seconds)."
            + String(unsafeUninitializedCapacity: 9) { digits in
                var left = attoseconds / 1_000_000_000
                for place in (0..<9).reversed() {
                    digits[place] = UInt8(48 + left % 10)
                    left /= 10
                }
                return 9
            }
    }
}
