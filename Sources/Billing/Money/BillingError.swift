/// A value that is not money, a scope, a limit or a name the ledger accepts.
public struct BillingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the value was meant to be, for example `"credits"`.
    public let field: String
    /// The value as it was given, cut to 128 characters.
    public let value: String
    /// The rule it breaks, with the limit.
    public let rule: String

    init(_ field: String, _ value: String, _ rule: String) {
        self.field = field
        self.value = String(value.prefix(128))
        self.rule = rule
    }

    /// The field, the value and the rule in one line.
    public var description: String { "\(field) \"\(value)\" is not accepted: \(rule)" }
}
