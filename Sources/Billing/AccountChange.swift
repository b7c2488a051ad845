/// What an administrator may change of a caller's account.
public enum AccountChange: Sendable, Equatable {
    /// No new calls until it is unfrozen; running ones finish, money still comes in.
    case freeze
    /// Calls again.
    case unfreeze
    /// No calls and no money, for ever; only an account without credit is closed.
    case close
    /// How far its credit may fall below zero, in microcredits: 0 … 2⁵³ − 1.
    case overdraft(Int64)

    var verb: String {
        switch self {
        case .freeze: "freeze"
        case .unfreeze: "unfreeze"
        case .close: "close"
        case .overdraft: "overdraft"
        }
    }
}
