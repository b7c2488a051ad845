/// Finds functions and counts their lines, from the line of the name to that of the closing brace.
///
/// A brace counter, not a parser: in Swift what follows `func`, `init`, `deinit` or `subscript` at the beginning of a
/// line (after modifiers and attributes), up to the brace that closes the next one opened; in C each block at the
/// outermost level that follows a closing parenthesis. Closures and accessors count as part of what they lie in.
struct FunctionLengths {
    struct Function: Equatable {
        let name: String
        let line: Int
        let lines: Int
    }

    private(set) var functions: [Function] = []

    init(_ text: String, isC: Bool) {
        let lines = String(decoding: BlankedSource(text, isC: isC).bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        if isC { findC(lines) } else { findSwift(lines) }
    }

    private mutating func findSwift(_ lines: [Substring]) {
        for (number, line) in lines.enumerated() {
            guard let name = Self.declaredName(line), let end = Self.end(of: number, in: lines) else { continue }
            functions.append(Function(name: name, line: number + 1, lines: end - number + 1))
        }
    }

    private static let modifiers: Set<Substring> = [
        "public", "package", "internal", "fileprivate", "private", "static", "final", "mutating", "nonmutating",
        "consuming", "borrowing", "override", "required", "convenience", "nonisolated", "isolated", "indirect", "class",
        "isolated(any)", "prefix", "postfix", "infix", "lazy", "weak", "unowned", "@usableFromInline",
    ]

    /// The name of the function that begins on a line, nil when none does.
    private static func declaredName(_ line: Substring) -> String? {
        var words = line.split(separator: " ").drop { modifiers.contains($0) || $0.hasPrefix("@") }
        guard let first = words.popFirst() else { return nil }
        for keyword in ["init", "deinit", "subscript"] where first.prefix(while: { $0.isLetter }) == keyword {
            return keyword
        }
        guard first == "func" else { return nil }
        let name = words.first?.prefix { $0 != "(" && $0 != "<" } ?? ""
        return name.isEmpty ? "a raw identifier" : String(name)
    }

    /// The line of the brace that closes a declaration's body; nil when it has none, as in a protocol.
    private static func end(of start: Int, in lines: [Substring]) -> Int? {
        var depth = 0
        var parentheses = 0
        for number in start..<lines.count {
            if depth == 0, parentheses == 0, number > start, declaredName(lines[number]) != nil { return nil }
            for character in lines[number].utf8 {
                switch character {
                case UInt8(ascii: "("): parentheses += 1
                case UInt8(ascii: ")"): parentheses -= 1
                case UInt8(ascii: "{"): depth += 1
                case UInt8(ascii: "}"):
                    depth -= 1
                    if depth < 0 { return nil }
                    if depth == 0, parentheses == 0 { return number }
                default: break
                }
            }
        }
        return nil
    }

    private mutating func findC(_ lines: [Substring]) {
        var depth = 0
        var start: (name: String, line: Int)?
        var last: UInt8 = 0
        var signature: (name: String, line: Int) = ("", 0)
        for (number, line) in lines.enumerated() where !line.hasPrefix("#") {
            if depth == 0, let first = line.first, first.isLetter || first == "_", line.contains("(") {
                let head = line.prefix { $0 != "(" }
                let name = head.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.last.map(String.init)
                signature = (name ?? "?", number)
            }
            for character in line.utf8 where character != UInt8(ascii: " ") {
                if character == UInt8(ascii: "{") {
                    if depth == 0, last == UInt8(ascii: ")") { start = signature }
                    depth += 1
                } else if character == UInt8(ascii: "}") {
                    depth -= 1
                    if depth == 0, let begun = start {
                        functions.append(
                            Function(name: begun.name, line: begun.line + 1, lines: number - begun.line + 1)
                        )
                        start = nil
                    }
                }
                last = character
            }
        }
    }
}
