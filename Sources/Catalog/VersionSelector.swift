/// The third part of `OWNER/NAME/SELECTOR`: which version a caller asks for.
enum VersionSelector: Equatable {
    /// None, or `latest`: the newest public version.
    case latest
    /// `latestPrivate`: the newest private version.
    case latestPrivate
    /// `1`, `1.x`, `1.*`: the newest public version of a major number.
    case major(Int)
    /// `1.2`, `1.2.x`, `1.2.*`: the newest public version of a minor number.
    case minor(Int, Int)
    /// `1.2.3`: exactly that version, public or private.
    case exact(SemanticVersion)
    /// 40 hexadecimal digits: the build with that hash, public or private.
    case hash(String)

    /// Reads a selector; nil when it has none of the known forms.
    init?(_ text: String?) {
        guard let text, !text.isEmpty else {
            self = .latest
            return
        }
        switch text {
        case "latest": self = .latest
        case "latestPrivate": self = .latestPrivate
        default:
            let hash = text.lowercased()
            if Grammar.isHexadecimal(hash, count: CatalogLimits.hashDigits) {
                self = .hash(hash)
            } else {
                self.init(numbers: text)
            }
        }
    }

    private init?(numbers text: String) {
        var parts = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        if 2...3 ~= parts.count, parts.last == "x" || parts.last == "*" { parts.removeLast() }
        let numbers = parts.compactMap { Self.number($0) }
        guard numbers.count == parts.count else { return nil }
        switch numbers.count {
        case 1: self = .major(numbers[0])
        case 2: self = .minor(numbers[0], numbers[1])
        case 3: self = .exact(SemanticVersion(numbers[0], numbers[1], numbers[2]))
        default: return nil
        }
    }

    /// Up to nine digits without a superfluous zero, so that each number has one spelling.
    private static func number(_ text: Substring) -> Int? {
        guard 1...9 ~= text.utf8.count, text.utf8.allSatisfy(Grammar.isDigit), text == "0" || text.first != "0" else {
            return nil
        }
        return Int(text)
    }
}
