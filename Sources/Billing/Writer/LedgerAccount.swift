/// One account as the writer knows it: what is recorded of it, and what the block being built moves.
///
/// Belongs to the writer's thread.
final class LedgerAccount {
    let id: Int64
    let owner: String
    let kind: AccountKind
    /// Of lots: which is used first, and until when.
    let priority: Int64
    let expires: Int64?
    var flags: AccountFlags
    var overdraft: Int64 = 0
    var debits: Int64 = 0
    var credits: Int64 = 0
    /// The part of ``debits`` that is no charge.
    var uncharged: Int64 = 0
    var rev: Int64 = 1
    var lastUsage: Int64?
    /// Of callers: its grants, in the order in which they are used; the account itself comes after them.
    var lots: [LedgerAccount] = []
    /// Of lots: the caller's account.
    weak var payer: LedgerAccount?

    /// Moved in this block, already in ``debits`` and ``credits``.
    var blockDebits: Int64 = 0
    var blockCredits: Int64 = 0
    /// Whether it is in the list of accounts that the end of the block writes.
    var isTouched = false

    init(id: Int64, owner: String, kind: AccountKind, priority: Int64 = 0, expires: Int64? = nil) {
        (self.id, self.owner, self.kind) = (id, owner, kind)
        (self.priority, self.expires) = (priority, expires)
        flags = kind.flags
    }

    var balance: Int64 { credits - debits }

    func debit(_ amount: Int64) {
        debits += amount
        blockDebits += amount
    }

    func credit(_ amount: Int64) {
        credits += amount
        blockCredits += amount
    }

    /// Puts a grant in its place: lower priority first, then earlier expiry, then the earlier grant.
    func add(lot: LedgerAccount) {
        let key: (LedgerAccount) -> (Int64, Int64, Int64) = { ($0.priority, $0.expires ?? .max, $0.id) }
        let place = lots.firstIndex { key($0) > key(lot) } ?? lots.count
        lots.insert(lot, at: place)
        lot.payer = self
    }

    /// What admission must know of a caller: its own money and its grants' together.
    var state: AccountState {
        var state = AccountState()
        state.id = id
        (state.credits, state.debits, state.overdraft, state.flags) = (credits, debits, overdraft, flags)
        state.uncharged = uncharged
        for lot in lots where lot.balance > 0 || lot.debits > 0 {
            state.credits += lot.credits
            state.debits += lot.debits
            state.uncharged += lot.uncharged
            if let expires = lot.expires, lot.balance > 0 {
                state.expiring.append(ExpiringCredit(expires: expires, amount: lot.balance))
            }
        }
        return state
    }
}
