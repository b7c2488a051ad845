import SQLite

/// What the ledger could not do, and why.
public struct LedgerError: Error, Sendable, Equatable {
    /// The kinds of failure, as a caller must tell them apart.
    public enum Kind: String, Sendable {
        /// The file could not be opened or brought up to date.
        case open
        /// The file could not be read.
        case read
        /// The file is of another release: it has other tables or columns than this program knows.
        case schema
        /// The account has not been opened.
        case accountUnknown
        /// A value is out of its range or has the wrong form.
        case invalid
        /// The same reference or version is recorded with other figures.
        case conflict
        /// There is no such record.
        case notFound
        /// The writer's queue is full; try again.
        case busy
        /// The commit failed: whether it happened is known only after the next start.
        case outcomeUnknown
        /// The ledger has stopped, and nothing was recorded.
        case closed
    }

    /// The kind of failure.
    public let kind: Kind
    /// What was being done, with the values and the limit.
    public let detail: String
    /// What SQLite said, when it was the cause.
    public let cause: String?
    /// The value that was refused, with the rule; nil when it was something else.
    public let problem: BillingError?

    init(_ kind: Kind, _ detail: String, cause: SQLiteError? = nil) {
        self.kind = kind
        self.detail = detail
        self.cause = cause?.description
        problem = nil
    }

    init(_ error: BillingError, kind: Kind = .invalid) {
        self.kind = kind
        detail = error.description
        cause = nil
        problem = error
    }
}

extension LedgerError: CustomStringConvertible {
    /// The kind, the detail and the cause in one line.
    public var description: String {
        "ledger: \(kind.rawValue): \(detail)\(cause.map { ": \($0)" } ?? "")"
    }
}
