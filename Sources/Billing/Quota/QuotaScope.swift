/// What a quota applies to: an account, a key, an algorithm, one account's use of one algorithm, or an author.
///
/// - Shape: `account:NAME`, `key:ID`, `algorithm:OWNER/NAME`, `account:NAME+algorithm:OWNER/NAME`, `author:OWNER`.
///   An author's only quota is the CPU time that nobody pays for.
///   Algorithm names are compared without regard to case, so ``text`` has them in lower case.
public struct QuotaScope: Sendable, Hashable, CustomStringConvertible {
    /// The canonical form.
    public let text: String
    /// The canonical form.
    public var description: String { text }

    /// Reads a scope.
    ///
    /// - Parameter text: one of the five forms, at most 512 bytes.
    /// - Throws: `BillingError` naming the accepted forms.
    public init(_ text: String) throws(BillingError) {
        let forms = "account:NAME, key:ID, algorithm:OWNER/NAME, account:NAME+algorithm:OWNER/NAME or author:OWNER"
        let parts = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        let canonical = parts.compactMap(Self.canonicalPart)
        let kinds = canonical.map { String($0.prefix { $0 != ":" }) }
        guard
            text.utf8.count <= 512, canonical.count == parts.count,
            kinds.count == 1 || kinds == ["account", "algorithm"]
        else { throw BillingError("scope", text, "it is \(forms)") }
        self.text = canonical.joined(separator: "+")
    }

    private static func canonicalPart(_ part: String) -> String? {
        let pieces = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard pieces.count == 2, !pieces[1].isEmpty, pieces[1].utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return nil
        }
        switch pieces[0] {
        case "account", "key": return part
        case "author": return pieces[1].contains("/") ? nil : asciiLowercased(part)
        case "algorithm":
            let names = pieces[1].split(separator: "/", omittingEmptySubsequences: false)
            guard names.count == 2, names.allSatisfy({ !$0.isEmpty }) else { return nil }
            return "algorithm:\(asciiLowercased(pieces[1]))"
        default: return nil
        }
    }

    /// Whether a limit of that metric would limit anything here: unpaid CPU time is counted of accounts, authors and
    /// pairs, and an author's calls by nothing else; workers belong to one account's calls of one algorithm.
    func isCounted(by metric: QuotaMetric) -> Bool {
        if metric.isOfWorkers { return text.hasPrefix("account:") && text.contains("+") }
        if text.hasPrefix("author:") { return metric == .unpaidCPUDay }
        return metric != .unpaidCPUDay || text.hasPrefix("account:")
    }

    /// The metrics that count here, for messages.
    var metricsRule: String {
        let names = QuotaMetric.allCases.filter(isCounted).map(\.rawValue).joined(separator: ", ")
        return "\(text) can have \(names)"
    }

    /// The canonical form of an algorithm's author.
    static func author(of algorithm: String) -> String {
        "author:" + asciiLowercased(String(algorithm.prefix { $0 != "/" }))
    }

    /// The canonical forms of the four scopes a call falls under, the account's first.
    static func matching(account: String, keyID: String, algorithm: String) -> [String] {
        let name = asciiLowercased(algorithm)
        return ["account:\(account)", "key:\(keyID)", "algorithm:\(name)", "account:\(account)+algorithm:\(name)"]
    }
}

/// Checks the name of an account: 1 … 128 bytes, visible, without `+`, which joins scopes.
func checkAccountName(_ name: String) throws(LedgerError) {
    let visible = name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "+") }
    guard !name.isEmpty, name.utf8.count <= 128, visible else {
        throw LedgerError(BillingError("account", name, "1 to 128 bytes without spaces, control characters and +"))
    }
}

/// Lower case of the letters A to Z only, as SQLite's `NOCASE` compares.
func asciiLowercased(_ text: String) -> String {
    guard text.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else { return text }
    return String(decoding: text.utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
}
