/// Cuts one member out of a JSON object without reading its value, so that numbers and key order stay as they were.
package enum JSONSlice {
    /// The bytes of a member's value.
    ///
    /// - Parameters:
    ///   - name: the member's name, without characters that JSON escapes.
    ///   - document: a well-formed JSON object; what happens with another is nil, never a trap.
    /// - Returns: the value without surrounding white space, or nil.
    package static func member(_ name: String, of document: [UInt8]) -> ArraySlice<UInt8>? {
        var scanner = Scanner(bytes: document)
        guard scanner.skip(UInt8(ascii: "{")) else { return nil }
        while let key = scanner.string() {
            guard scanner.skip(UInt8(ascii: ":")), let value = scanner.value() else { return nil }
            if key.elementsEqual(name.utf8) { return value }
            guard scanner.skip(UInt8(ascii: ",")) else { return nil }
        }
        return nil
    }
}

private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        position += 1
        return true
    }

    /// The inside of a string, escapes left as they are.
    mutating func string() -> ArraySlice<UInt8>? {
        guard skip(UInt8(ascii: "\"")) else { return nil }
        let start = position
        while let byte = next {
            if byte == UInt8(ascii: "\"") {
                position += 1
                return bytes[start..<(position - 1)]
            }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    /// Any value: brackets are counted, strings are skipped.
    mutating func value() -> ArraySlice<UInt8>? {
        skipSpace()
        let start = position
        var depth = 0
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                guard string() != nil else { return nil }
                if depth == 0 { return bytes[start..<position] }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return scalar(from: start) }
                depth -= 1
                if depth == 0 {
                    position += 1
                    return bytes[start..<position]
                }
            case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                if depth == 0 { return scalar(from: start) }
            default: break
            }
            position += 1
        }
        return nil
    }

    private func scalar(from start: Int) -> ArraySlice<UInt8>? {
        start < position ? bytes[start..<position] : nil
    }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
    }
}
