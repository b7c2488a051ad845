internal import FoundationEssentials

/// An amount of credits, zero or more: an overdraft line.
struct CreditLine: Sendable, Equatable {
    let text: String

    init(parsing text: String) throws {
        let isZero = text.wholeMatch(of: /0{1,13}(?:\.0{1,6})?/) != nil
        guard isZero || (try? Credits(parsing: text)) != nil else {
            throw ArgumentRule("CREDITS is a decimal number, 0 or more, with at most 6 places, like 12.5")
        }
        self.text = text
    }
}

/// A correction of credit: an amount above zero, with `-` before it to take it away; `+` may be written.
struct SignedCredits: Sendable, Equatable {
    let text: String

    init(parsing text: String) throws {
        let hasSign = text.hasPrefix("-") || text.hasPrefix("+")
        guard (try? Credits(parsing: hasSign ? String(text.dropFirst()) : text)) != nil else {
            throw ArgumentRule("CREDITS is a decimal number other than 0 with at most 6 places, like 12.5 or -12.5")
        }
        self.text = text
    }
}

/// When a grant ends.
struct Expiry: Sendable, Equatable {
    /// The moment in the form of RFC 3339.
    let text: String

    /// Reads a date, a number of days, or a moment.
    ///
    /// - Parameters:
    ///   - text: `2027-01-31`, when that day begins (UTC); `30d`, when the 30th day after today has ended (UTC), so that
    ///     the same command says the same all day; or a moment of RFC 3339, as it is.
    ///   - now: seconds of Unix time.
    /// - Throws: `ArgumentRule` with the accepted forms.
    init(parsing text: String, now: Double = Date().timeIntervalSince1970) throws {
        if text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil {
            self.text = text + "T00:00:00Z"
        } else if let days = text.wholeMatch(of: /([0-9]{1,4})d/).flatMap({ Double($0.1) }), 1...3_660 ~= days {
            let midnight = ((now / 86_400).rounded(.down) + days + 1) * 86_400
            self.text = Date(timeIntervalSince1970: midnight).formatted(.iso8601)
        } else if text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]{8,15}([Zz]|[+-][0-9]{2}:[0-9]{2})/) != nil
        {
            self.text = text
        } else {
            throw ArgumentRule("an end is a day like 2027-01-31, 1d to 3660d, or a moment like 2027-01-31T12:00:00Z")
        }
    }
}

/// A length of time.
struct Age: Sendable, Equatable {
    let seconds: Int64

    /// Reads a whole number with its unit: `90s`, `10m`, `2h`, `1d`.
    init(parsing text: String) throws {
        let units: [Substring: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard
            let match = text.wholeMatch(of: /([0-9]{1,8})([smhd])/), let count = Int64(match.1),
            let unit = units[match.2], 0...31_536_000 ~= count * unit
        else { throw ArgumentRule("an age is a whole number with its unit, like 90s, 10m, 2h or 1d, at most 365d") }
        seconds = count * unit
    }
}

extension Names {
    /// Why something is done, for the record.
    static func reason(_ text: String) throws -> String {
        guard 1...1_024 ~= text.utf8.count, Terminal.printable(text) == text else {
            throw ArgumentRule("a reason is one line of 1 to 1024 bytes")
        }
        return text
    }

    /// A revision, as `show` and `list` print it.
    static func revision(_ text: String) throws -> Int64 {
        guard text.wholeMatch(of: /[0-9]{1,16}/) != nil, let number = Int64(text), number < 1 << 53 else {
            throw ArgumentRule("a revision is a whole number, 0 to 9007199254740991")
        }
        return number
    }

    /// A grant's priority.
    static func priority(_ text: String) throws -> Int {
        guard text.wholeMatch(of: /[0-9]{1,2}/) != nil, let number = Int(text) else {
            throw ArgumentRule("a priority is a whole number, 0 to 99; lower is used first")
        }
        return number
    }

    /// The id of a call.
    static func invocation(_ text: String) throws -> String {
        guard text.wholeMatch(of: /[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/) != nil else {
            throw ArgumentRule(
                "a call's id looks like 01a20848-7c4e-7b3f-8000-0123456789ab; `faasctl usage list` shows it"
            )
        }
        return text
    }
}
