import Billing
import Foundation
import Hummingbird

/// The members of a small JSON object, read one by one.
///
/// Whatever is missing, unknown, null or of another kind is refused by name, value and rule: a misspelt or empty key must
/// not leave a default in force without a word.
struct Fields: Sendable {
    /// The largest body.
    private static let bytesMax = 64 << 10
    private let members: [String: Member]

    /// Reads the body of a request; no body is an object without members.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - known: the keys that it may have.
    /// - Throws: `ManageProblem`.
    init(_ request: Request, known: [String]) async throws {
        let body = try await request.body.collect(upTo: Self.bytesMax)
        do {
            let data = Data(body.readableBytesView)
            members = data.isEmpty ? [:] : try JSONDecoder().decode([String: Member].self, from: data)
        } catch {
            throw ManageProblem(
                status: .badRequest,
                type: "invalid",
                message: "the body is not one JSON object with \(known.joined(separator: ", "))"
            )
        }
        if let unknown = members.keys.filter({ !known.contains($0) }).min() {
            throw ManageProblem.invalid(
                "body",
                unknown,
                "an object with no other keys than \(known.joined(separator: ", "))"
            )
        }
    }

    /// A text that must be there.
    func text(_ name: String, bytes: ClosedRange<Int> = 1...1_024) throws(ManageProblem) -> String {
        let rule = "a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes"
        guard let member = members[name] else { throw .missing(name, rule) }
        guard case .text(let text) = member, bytes.contains(text.utf8.count) else {
            throw .invalid(name, member.description, rule)
        }
        return text
    }

    /// A text that may be left out.
    func optionalText(_ name: String, bytes: ClosedRange<Int> = 0...1_024) throws(ManageProblem) -> String? {
        members[name] == nil ? nil : try text(name, bytes: bytes)
    }

    /// A whole number that must be there.
    func integer(_ name: String, _ range: ClosedRange<Int64>) throws(ManageProblem) -> Int64 {
        let rule = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let member = members[name] else { throw .missing(name, rule) }
        guard case .integer(let number) = member, range.contains(number) else {
            throw .invalid(name, member.description, rule)
        }
        return number
    }

    /// A whole number that may be left out.
    func optionalInteger(_ name: String, _ range: ClosedRange<Int64>) throws(ManageProblem) -> Int64? {
        members[name] == nil ? nil : try integer(name, range)
    }

    /// The revision that a thing must be at; nil for any.
    func revision() throws(ManageProblem) -> Int64? { try optionalInteger("if_rev", Self.revisions) }

    /// The revisions there may be.
    static let revisions: ClosedRange<Int64> = 0...(1 << 53) - 1

    /// What an amount may be.
    enum Amount: String {
        case positive = "more than 0 and"
        case zeroOrMore = "0 or more,"
        /// With an optional sign.
        case notZero = "less or more than 0,"
    }

    /// An amount of credits as text, for example `"12.5"`.
    ///
    /// - Returns: microcredits.
    func credits(_ name: String, _ kind: Amount = .positive) throws(ManageProblem) -> Int64 {
        let most = Microcredits.maximum
        let rule =
            "a text with a decimal number of credits, \(kind.rawValue) at most \(most), with at most 6 places, like \"12.5\""
        guard let member = members[name] else { throw .missing(name, rule) }
        guard case .text(let text) = member else { throw .invalid(name, member.description, rule) }
        let hasSign = kind == .notZero && (text.hasPrefix("-") || text.hasPrefix("+"))
        guard
            let amount = try? Microcredits(credits: hasSign ? String(text.dropFirst()) : text).rawValue,
            kind == .zeroOrMore || amount > 0
        else { throw .invalid(name, text, rule) }
        return hasSign && text.hasPrefix("-") ? -amount : amount
    }
}

/// One value of a JSON object.
private enum Member: Decodable, CustomStringConvertible {
    case null
    case flag(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .other
        }
    }

    var description: String {
        switch self {
        case .null: "null"
        case .flag(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .text(let text): text
        case .other: "a list, an object or a number without bounds"
        }
    }
}

extension ManageProblem {
    static func missing(_ field: String, _ wanted: String) -> ManageProblem {
        ManageProblem(
            status: .badRequest,
            type: "invalid",
            message: "the key \(field) is missing; it must be \(wanted)",
            field: field,
            limit: wanted
        )
    }
}

extension Request {
    /// A whole number of the query; nil when it is not there.
    func number(_ name: String, _ range: ClosedRange<Int64>) throws(ManageProblem) -> Int64? {
        guard let text = query(name) else { return nil }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(text), range.contains(number) else {
            throw .invalid(name, text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
