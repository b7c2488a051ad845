/// An amount of money: 1 credit = 1,000,000 microcredits = 10⁻⁴ USD.
///
/// - Unit: microcredits, always a whole number; never a floating-point value.
/// - Shape: at most 2⁵³ − 1 in one amount, so that it is exact in a JSON number.
public struct Microcredits: Sendable, Hashable, Comparable, Codable {
    /// The number of microcredits.
    public let rawValue: Int64

    /// The largest single amount: 2⁵³ − 1 microcredits, about 9.0 billion credits.
    public static let maximum = Microcredits(rawValue: (1 << 53) - 1)
    /// No money.
    public static let zero = Microcredits(rawValue: 0)

    /// Makes an amount from a number of microcredits.
    ///
    /// - Parameter rawValue: microcredits; the ledger checks the range where the amount is used.
    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// Reads an amount of credits, for example `"12.5"`.
    ///
    /// - Parameter credits: ASCII digits, optionally a point and one to six digits; no sign, space or exponent.
    /// - Throws: `BillingError` when the text has another form or the amount passes ``maximum``.
    public init(credits: String) throws(BillingError) {
        let rule = "credits are a decimal number from 0 to 9007199254.740991 with at most 6 decimal places"
        let parts = credits.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? Array(parts[1]) : []
        guard
            let whole = parts.first, !whole.isEmpty, whole.count <= 32, fraction.count <= 6,
            parts.count == 1 || !fraction.isEmpty
        else { throw BillingError("credits", credits, rule) }
        var value: Int64 = 0
        let digits = Array(whole) + fraction + Array(repeating: UInt8(ascii: "0"), count: 6 - fraction.count)
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else {
                throw BillingError("credits", credits, rule)
            }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
            guard value <= Self.maximum.rawValue else { throw BillingError("credits", credits, rule) }
        }
        rawValue = value
    }

    /// Reads an amount from a whole JSON number of microcredits.
    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// Writes the amount as a whole number of microcredits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// Orders amounts by size.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Microcredits: CustomStringConvertible {
    /// The amount in credits with as many decimal places as it needs, for example `"12.5"`.
    public var description: String {
        let (whole, part) = rawValue.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        var fraction = String(1_000_000 + part).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(rawValue < 0 ? "-" : "")\(whole)\(fraction.isEmpty ? "" : ".")\(fraction)"
    }
}
