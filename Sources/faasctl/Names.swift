/// Why an argument was refused before the daemon was asked.
struct ArgumentRule: Error, CustomStringConvertible {
    let description: String
    init(_ rule: String) { description = rule }
}

/// The grammars of names, the same as the daemon's.
enum Names {
    /// A user's name: a letter, then letters, digits and `_`, at most 30 characters.
    static func user(_ text: String) throws -> String {
        guard text.wholeMatch(of: /[A-Za-z][A-Za-z0-9_]{0,29}/) != nil else {
            throw ArgumentRule("a user's name is a letter, then letters, digits and _, at most 30 characters")
        }
        return text
    }

    /// The id of a key, which is not its secret.
    static func keyID(_ text: String) throws -> String {
        guard text.wholeMatch(of: /key_[a-z0-9]{1,32}/) != nil else {
            throw ArgumentRule("a key's id looks like key_abcdefghijkl; `faasctl key list` shows it")
        }
        return text
    }

    /// A reference of a payment: one line of 1 to 200 characters.
    static func reference(_ text: String) throws -> String {
        guard 1...200 ~= text.count, Terminal.printable(text) == text else {
            throw ArgumentRule("a reference is one line of 1 to 200 characters")
        }
        return text
    }
}

/// `OWNER/NAME`.
struct AlgorithmName: Sendable, Equatable, CustomStringConvertible {
    let owner: String
    let name: String

    init(parsing text: String) throws {
        guard let match = text.wholeMatch(of: /([A-Za-z][A-Za-z0-9_]{0,29})\/([A-Za-z0-9_]{1,64})/) else {
            throw ArgumentRule("an algorithm is OWNER/NAME, of letters, digits and _, like anna/hello")
        }
        owner = String(match.1)
        name = String(match.2)
    }

    var description: String { "\(owner)/\(name)" }
}

/// `OWNER/NAME` or `OWNER/NAME/VERSION`.
struct AlgorithmReference: Sendable, Equatable, CustomStringConvertible {
    let algorithm: AlgorithmName
    let version: String?

    init(parsing text: String) throws {
        let scheme = "algo://"
        let parts = (text.hasPrefix(scheme) ? text.dropFirst(scheme.count) : text[...]).split(
            separator: "/",
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        algorithm = try AlgorithmName(parsing: parts.prefix(2).joined(separator: "/"))
        version = parts.count == 3 ? String(parts[2]) : nil
        guard let version else { return }
        guard version.wholeMatch(of: /latest|latestPrivate|[0-9]+(\.[0-9]+){0,2}(\.[x*])?|[0-9a-fA-F]{40}/) != nil
        else {
            throw ArgumentRule("a version is 1.2.3, 1.2, 1.2.x, 1, latest, latestPrivate or a hash of 40 digits")
        }
    }

    var description: String { version.map { "\(algorithm)/\($0)" } ?? algorithm.description }
}

/// An amount of credits above zero, with at most six decimals; its text goes to the daemon as it is.
struct Credits: Sendable, Equatable {
    let text: String
    let microcredits: Int64

    init(parsing text: String) throws {
        let rule = ArgumentRule("CREDITS is a decimal number above 0 with at most 6 places, like 12.5")
        guard let match = text.wholeMatch(of: /([0-9]{1,13})(?:\.([0-9]{1,6}))?/) else { throw rule }
        let places = match.2.map(String.init) ?? ""
        let digits = match.1 + places + String(repeating: "0", count: 6 - places.count)
        guard let amount = Int64(digits) else {
            throw ArgumentRule("CREDITS is too much: at most 9223372036854.775807")
        }
        guard amount > 0 else { throw rule }
        self.text = text
        microcredits = amount
    }
}
