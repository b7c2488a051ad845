/// Source text in which comments, string literals and raw identifiers are spaces, so that the braces left are code.
///
/// An approximation for Swift and C: a literal's interpolations are blanked with it, `#if` branches all count, and a
/// regular expression literal would be taken for code.
struct BlankedSource {
    private let source: [UInt8]
    private let isC: Bool
    private var index = 0
    private(set) var bytes: [UInt8]

    init(_ text: String, isC: Bool) {
        source = Array(text.utf8)
        bytes = source
        self.isC = isC
        while index < source.count { skipOne() }
    }

    private func at(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard index + length <= source.count else { return false }
        return (0..<length).allSatisfy { source[index + $0] == text.utf8Start[$0] }
    }

    private mutating func blank(_ count: Int = 1) {
        for place in index..<min(index + count, source.count) where source[place] != UInt8(ascii: "\n") {
            bytes[place] = UInt8(ascii: " ")
        }
        index += count
    }

    private mutating func skipOne() {
        if at("//") {
            while index < source.count, !at("\n") { blank() }
        } else if at("/*") {
            skipComment()
        } else if !isC, at("\"\"\"") {
            skipLiteral("\"\"\"")
        } else if !isC, at("#\"") {
            skipRaw()
        } else if at("\"") {
            skipLiteral("\"")
        } else if isC, at("'") {
            skipLiteral("'")
        } else if !isC, at("`") {
            skipLiteral("`")
        } else {
            index += 1
        }
    }

    private mutating func skipComment() {
        blank(2)
        while index < source.count, !at("*/") {
            if !isC, at("/*") { skipComment() } else { blank() }
        }
        blank(2)
    }

    private mutating func skipRaw() {
        blank(2)
        while index < source.count, !at("\"#") { blank() }
        blank(2)
    }

    private mutating func skipLiteral(_ quote: StaticString) {
        blank(quote.utf8CodeUnitCount)
        while index < source.count, !at(quote) {
            if !isC, at("\\(") { skipInterpolation() } else { blank(at("\\") ? 2 : 1) }
        }
        blank(quote.utf8CodeUnitCount)
    }

    private mutating func skipInterpolation() {
        blank(2)
        var depth = 1
        while index < source.count, depth > 0 {
            if at("\"") {
                skipLiteral("\"")
                continue
            }
            if at("(") { depth += 1 }
            if at(")") { depth -= 1 }
            blank()
        }
    }
}
