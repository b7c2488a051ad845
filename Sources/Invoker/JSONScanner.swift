/// Checks that bytes are exactly one well-formed JSON value, without building it.
///
/// A result is spliced into the response as it is, so this scan is what keeps a hostile worker from forging the
/// envelope around it. One pass, no allocation: one value, UTF-8, nesting to 512, nothing after it but white space.
/// - Source: RFC 8259.
public struct JSONScanner {
    /// The deepest nesting of arrays and objects that is accepted.
    public static let depthMax = 512

    /// What is wrong, and where.
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        /// The offset of the first byte that cannot be; bytes from the start.
        public var offset: Int
        /// What was expected there.
        public var reason: String

        /// One line: reason and place.
        public var description: String { "\(reason) at byte \(offset)" }
    }

    private let bytes: UnsafeRawBufferPointer
    private let allowsNonFinite: Bool
    private var index = 0
    private var depth = 0
    /// One bit for each open container: set for an object.
    private var objects = InlineArray<8, UInt64>(repeating: 0)

    private init(_ bytes: UnsafeRawBufferPointer, allowsNonFinite: Bool) {
        self.bytes = bytes
        self.allowsNonFinite = allowsNonFinite
    }

    /// Checks a whole buffer.
    ///
    /// - Parameters:
    ///   - bytes: the text.
    ///   - allowsNonFinite: also accept `NaN`, `Infinity` and `-Infinity`, which Python clients send.
    /// - Throws: `Problem` with the offset.
    public static func check(_ bytes: UnsafeRawBufferPointer, allowsNonFinite: Bool = false) throws(Problem) {
        var scanner = JSONScanner(bytes, allowsNonFinite: allowsNonFinite)
        try scanner.document()
    }

    private mutating func document() throws(Problem) {
        try value()
        while depth > 0 { try next() }
        skipSpace()
        guard index == bytes.count else { throw problem("something after the end of the value") }
    }

    /// After a value inside a container: a comma and another member, or the end of the container.
    private mutating func next() throws(Problem) {
        skipSpace()
        let isObject = objects[(depth - 1) / 64] >> UInt64((depth - 1) % 64) & 1 == 1
        switch peek() {
        case UInt8(ascii: ","):
            index += 1
            if isObject { try key() }
            try value()
        case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
            index += 1
            depth -= 1
        default: throw problem(isObject ? "expected ',' or '}'" : "expected ',' or ']'")
        }
    }

    /// A value; a container that is not empty is opened with its first member and left open.
    private mutating func value() throws(Problem) {
        while true {
            skipSpace()
            switch peek() {
            case UInt8(ascii: "\""): return try string()
            case UInt8(ascii: "{"):
                try open(object: true)
                skipSpace()
                if peek() == UInt8(ascii: "}") { return close() }
                try key()
            case UInt8(ascii: "["):
                try open(object: false)
                skipSpace()
                if peek() == UInt8(ascii: "]") { return close() }
            case UInt8(ascii: "t"): return try word("true")
            case UInt8(ascii: "f"): return try word("false")
            case UInt8(ascii: "n"): return try word("null")
            case UInt8(ascii: "N") where allowsNonFinite: return try word("NaN")
            case UInt8(ascii: "I") where allowsNonFinite: return try word("Infinity")
            default: return try number()
            }
        }
    }

    private mutating func open(object: Bool) throws(Problem) {
        guard depth < Self.depthMax else { throw problem("nested deeper than \(Self.depthMax)") }
        let bit = UInt64(1) << UInt64(depth % 64)
        if object { objects[depth / 64] |= bit } else { objects[depth / 64] &= ~bit }
        depth += 1
        index += 1
    }

    private mutating func close() {
        depth -= 1
        index += 1
    }

    private mutating func key() throws(Problem) {
        skipSpace()
        guard peek() == UInt8(ascii: "\"") else { throw problem("expected a string as key") }
        try string()
        skipSpace()
        guard peek() == UInt8(ascii: ":") else { throw problem("expected ':'") }
        index += 1
    }

    private mutating func string() throws(Problem) {
        index += 1
        while true {
            guard let byte = peek() else { throw problem("string without an end") }
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw problem("control character in a string")
            case 0x20..<0x80: index += 1
            default: index += try multibyte(byte)
            }
        }
    }

    private mutating func escape() throws(Problem) {
        index += 1
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 1
        case UInt8(ascii: "u"):
            index += 1
            for _ in 0..<4 {
                guard let digit = peek(), UTF8Check.isHexDigit(digit) else { throw problem("expected four hex digits") }
                index += 1
            }
        default: throw problem("unknown escape")
        }
    }

    private func multibyte(_ lead: UInt8) throws(Problem) -> Int {
        let length = UTF8Check.sequenceLength(bytes, at: index)
        guard length > 0 else { throw problem("bytes that are not UTF-8") }
        return length
    }

    private mutating func word(_ word: StaticString) throws(Problem) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard index + offset < bytes.count, bytes[index + offset] == word.utf8Start[offset] else {
                throw problem("expected a value")
            }
        }
        index += word.utf8CodeUnitCount
    }

    private mutating func number() throws(Problem) {
        if peek() == UInt8(ascii: "-") { index += 1 }
        if allowsNonFinite, peek() == UInt8(ascii: "I") { return try word("Infinity") }
        if peek() == UInt8(ascii: "0") { index += 1 } else { try digits("expected a value") }
        if peek() == UInt8(ascii: ".") {
            index += 1
            try digits("expected a digit after '.'")
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            index += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { index += 1 }
            try digits("expected a digit in the exponent")
        }
    }

    private mutating func digits(_ reason: String) throws(Problem) {
        let start = index
        while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
        guard index > start else { throw problem(reason) }
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private func problem(_ reason: String) -> Problem { Problem(offset: index, reason: reason) }
}
