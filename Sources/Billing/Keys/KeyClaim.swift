/// The right to run the one call that an idempotency key names; other calls with the key are refused until it ends.
///
/// Settle the call with it (``Ledger/settle(_:_:keeping:)``), and the key remembers the answer; let it go, and the key is
/// as if it had never been used.
public final class KeyClaim: Sendable {
    /// The account whose key it is.
    public let account: String
    /// The caller's name for the request.
    public let key: String
    /// What the request was: SHA-256.
    public let request: [UInt8]
    /// The call to repeat for nothing, because its answer was too large to keep; nil for a new key.
    public let replayOf: InvocationID?
    private let number: UInt64
    private let ledger: Ledger

    init(_ claimed: ClaimedKey, number: UInt64, request: [UInt8], replayOf: InvocationID?, ledger: Ledger) {
        (account, key, self.number) = (claimed.account, claimed.key, number)
        (self.request, self.replayOf, self.ledger) = (request, replayOf, ledger)
    }

    deinit { end() }

    /// Lets the key go; a second time does nothing, also when somebody else has claimed it meanwhile.
    func end() { ledger.release(ClaimedKey(account: account, key: key), number: number) }
}

/// What an idempotency key stands for.
public enum KeyState: Sendable {
    /// Nothing yet, or an answer that could not be kept: run the call.
    case claimed(KeyClaim)
    /// A call that was answered: give the same answer again.
    case kept(KeptReply)
}

/// An answer as it was given.
public struct KeptReply: Sendable, Equatable {
    /// The call that was run and charged.
    public let invocation: InvocationID
    /// A number that means something to whoever keeps answers.
    public let status: Int
    /// The answer, as it was handed over.
    public let response: [UInt8]
}

/// An answer to be kept with a charge.
public struct KeptAnswer: Sendable {
    let claim: KeyClaim
    let status: Int
    let response: [UInt8]?

    /// Describes an answer.
    ///
    /// - Parameters:
    ///   - claim: the key's.
    ///   - status: a number that comes back in ``KeptReply/status``.
    ///   - response: at most ``LedgerLimits/keptAnswerBytesMax`` bytes are kept; of a larger one, or nil, only that there
    ///     was one.
    public init(claim: KeyClaim, status: Int, response: [UInt8]?) {
        self.claim = claim
        self.status = status
        self.response = response
    }

    /// What the writer records of it, without the claim, which ends when the call is answered.
    func row(bytesMax: Int) -> KeyRow {
        KeyRow(
            key: claim.key,
            request: claim.request,
            isSecondRun: claim.replayOf != nil,
            status: status,
            response: response.flatMap { $0.count <= bytesMax ? $0 : nil }
        )
    }
}

/// A key and its answer on their way to the file.
struct KeyRow: Sendable {
    let key: String
    let request: [UInt8]
    let isSecondRun: Bool
    let status: Int
    /// Nil when it is too large.
    let response: [UInt8]?
}

/// A key of an account.
struct ClaimedKey: Hashable, Sendable {
    let account: String
    let key: String
}

/// Who has a key.
struct KeyOwner: Sendable {
    let number: UInt64
    let request: [UInt8]
}
