/// What the daemon answered: the typed value, and the JSON document it was read from.
///
/// The document is kept because it may say more than this client knows, and `--json` prints it as it came.
public struct Answer<Value: Sendable>: Sendable {
    /// The fields this client knows.
    public let value: Value
    /// One JSON document in UTF-8.
    public let document: [UInt8]
}

/// A list inside an answer.
public struct Results<Element: Decodable & Sendable>: Decodable, Sendable {
    /// The elements, in the daemon's order.
    public let results: [Element]

    /// Makes a list of what came another way.
    public init(results: [Element]) { self.results = results }
}

/// A string, number or boolean, as text; the daemon may use any of them for an id, an instant or a limit.
public struct Scalar: Decodable, Sendable, Hashable, CustomStringConvertible {
    /// The text, or the number's digits.
    public let description: String
    /// The value, if it is a whole number.
    public let integer: Int64?

    /// Reads a string, a whole number, a number or a boolean.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let integer = try? container.decode(Int64.self) {
            self.integer = integer
            description = "\(integer)"
        } else if let text = try? container.decode(String.self) {
            integer = nil
            description = text
        } else if let flag = try? container.decode(Bool.self) {
            integer = nil
            description = "\(flag)"
        } else {
            integer = nil
            description = "\(try container.decode(Double.self))"
        }
    }
}
