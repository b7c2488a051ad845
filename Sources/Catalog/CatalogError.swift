internal import SQLite

/// Why the catalog refused something, with the field, the value and the rule it broke.
public struct CatalogError: Error, Sendable, Equatable {
    /// What kind of refusal it is; each maps to one HTTP status of the management API.
    public enum Reason: String, Sendable {
        /// The value breaks a grammar or a bound (400).
        case invalid
        /// There is no such thing, or the caller may not know of it (404).
        case notFound = "not_found"
        /// The name is in use, now or formerly (409).
        case taken
        /// The thing is not in the state this step needs (409).
        case state
        /// The database failed (503).
        case storage
    }

    /// What kind of refusal it is.
    public let reason: Reason
    /// What the value was for, as the management API names it, for example `memory`.
    public let field: String
    /// The value in question, at most 100 characters of it.
    public let value: String
    /// The rule, for example `16…16384 MiB`; nil when there is none to name.
    public let limit: String?
    /// One sentence for the person who asked.
    public let message: String
    /// What the database said, with its statement; for the log, not for the person who asked.
    public let cause: String?

    init(
        _ reason: Reason,
        field: String,
        value: String,
        limit: String? = nil,
        message: String,
        cause: String? = nil
    ) {
        self.reason = reason
        self.field = field
        self.value = String(value.prefix(CatalogLimits.echoedCharactersMax))
        self.limit = limit
        self.message = message
        self.cause = cause
    }
}

extension CatalogError: CustomStringConvertible {
    /// The reason, the sentence, and what the database said.
    public var description: String {
        "catalog \(reason.rawValue): \(message)" + (cause.map { ": \($0)" } ?? "")
    }
}

extension CatalogError {
    static func invalid(_ field: String, _ value: String, limit: String) -> CatalogError {
        let shown = value.prefix(CatalogLimits.echoedCharactersMax)
        return CatalogError(
            .invalid,
            field: field,
            value: value,
            limit: limit,
            message: "\(field) '\(shown)' is refused: it must be \(limit)"
        )
    }

    static func tooManyUsers(_ name: String, _ most: Int) -> CatalogError {
        CatalogError(
            .state,
            field: "name",
            value: name,
            limit: "\(most)",
            message: "this daemon serves a single tenant, as it was started without limits on boxes (faasd doctor)"
        )
    }

    static func notFound(_ field: String, _ value: String) -> CatalogError {
        let shown = value.prefix(CatalogLimits.echoedCharactersMax)
        return CatalogError(.notFound, field: field, value: value, message: "\(field) \(shown) not found")
    }

    static func storage(_ step: String, _ cause: SQLiteError) -> CatalogError {
        CatalogError(
            .storage,
            field: "catalog",
            value: step,
            message: "the catalog could not \(step): \(cause.message)",
            cause: cause.description
        )
    }
}
