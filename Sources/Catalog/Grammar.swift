/// The grammars of names, as Algorithmia had them; ASCII only.
enum Grammar {
    /// `^[a-zA-Z][a-zA-Z0-9_]*$`, at most 30 characters.
    static func isUserName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.count <= CatalogLimits.userNameCharactersMax && text.utf8.allSatisfy(isWord)
    }

    /// `^[a-zA-Z0-9_]+$`, at most 64 characters.
    static func isAlgorithmName(_ text: String) -> Bool {
        1...CatalogLimits.algorithmNameCharactersMax ~= text.utf8.count && text.utf8.allSatisfy(isWord)
    }

    /// Lower-case hexadecimal digits, exactly `count` of them.
    static func isHexadecimal(_ text: String, count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { isDigit($0) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 }
    }

    /// One line of printable characters, at most 100.
    static func isLabel(_ text: String) -> Bool {
        guard text.count <= CatalogLimits.labelCharactersMax else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
            default: true
            }
        }
    }

    /// The form under which names are compared: names differ only if they differ in more than ASCII case.
    static func folded(_ name: String) -> String { name.lowercased() }

    static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isLetter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
    }
}
