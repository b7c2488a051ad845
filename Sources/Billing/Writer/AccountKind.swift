/// The kinds of account; the numbers are stored.
enum AccountKind: Int64, Sendable, CaseIterable {
    /// Prepaid credit of a caller; never below zero, or below its overdraft line.
    case caller = 1
    /// What an author has earned; below zero only when a charge is reversed after it was paid out.
    case authorPayable = 2
    /// The platform's share of royalties.
    case platformFee = 3
    /// What compute has earned.
    case computeRevenue = 4
    /// Where top-ups come from; falls below zero by what was paid in.
    case cashIn = 5
    /// Where grants come from.
    case promoFunding = 6
    /// Where expired grants go.
    case breakage = 11
    /// A caller's grant: credit of its own priority and expiry, below the caller's account.
    case lot = 12
    /// Where an administrator's corrections come from and go to.
    case adjustment = 13

    /// One account each, owned by nobody.
    static let platform: [AccountKind] = [
        .platformFee, .computeRevenue, .cashIn, .promoFunding, .breakage, .adjustment,
    ]

    var flags: AccountFlags { self == .caller || self == .lot ? .noOverdraft : [] }
}

/// What is true of an account; the bits are stored.
struct AccountFlags: OptionSet, Sendable {
    let rawValue: Int64

    /// Its balance stays at or above zero, less its overdraft line.
    static let noOverdraft = AccountFlags(rawValue: 1)
    /// No new calls, for now.
    static let frozen = AccountFlags(rawValue: 2)
    /// No new calls and no money, for ever.
    static let closed = AccountFlags(rawValue: 4)
}

/// What a transfer is for; the numbers are stored.
enum TransferCode: Int64 {
    case topUp = 100
    case grant = 110
    case compute = 200
    case royaltyAuthor = 210
    case royaltyPlatform = 220
    case refund = 300
    case adjustment = 310
    case expiry = 500
}
