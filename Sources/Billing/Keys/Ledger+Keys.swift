import SQLite
import Synchronization

extension Ledger {
    /// Looks up an idempotency key, and claims it when nothing is known of it.
    ///
    /// The request is compared whole, by its digest: the same key with another request is a mistake of the caller's.
    ///
    /// - Parameters:
    ///   - key: 1 to 255 bytes.
    ///   - request: the SHA-256 of all that makes the request what it is.
    ///   - account: whose key it is.
    /// - Returns: the claim, or the answer that was given.
    /// - Throws: `Refusal` with kind `.keyInFlight`, `.keyMismatch` or `.keyAnswerGone`; `.queueFull` when the ledger
    ///   cannot be read.
    public func claim(key: String, request: [UInt8], account: String) throws(Refusal) -> KeyState {
        let claimed = ClaimedKey(account: account, key: key)
        let (running, number) = state.withLock { state in
            if let running = state.keys[claimed] { return (running.request as [UInt8]?, UInt64(0)) }
            state.lastClaim += 1
            state.keys[claimed] = KeyOwner(number: state.lastClaim, request: request)
            return (nil, state.lastClaim)
        }
        if let running { throw running == request ? .inFlight(claimed) : .mismatch(claimed) }
        // From here on nobody else uses the key, and what an earlier call committed is seen.
        let known: KeyRecord?
        do throws(LedgerError) { known = try find(claimed) } catch {
            release(claimed, number: number)
            throw .plain(.queueFull, metric: "ledger", scope: "daemon", retryAfterSeconds: 1, message: "\(error)")
        }
        guard let known, known.expires > clock.unixMicroseconds() else {
            return .claimed(KeyClaim(claimed, number: number, request: request, replayOf: nil, ledger: self))
        }
        guard known.request == request, known.state == 2 else {
            release(claimed, number: number)
            guard known.request == request else { throw .mismatch(claimed) }
            guard known.state == 1 else { throw .answerGone(claimed, known.invocation) }
            let reply = KeptReply(invocation: known.invocation, status: known.status, response: known.response)
            return .kept(reply)
        }
        return .claimed(KeyClaim(claimed, number: number, request: request, replayOf: known.invocation, ledger: self))
    }

    func release(_ key: ClaimedKey, number: UInt64) {
        state.withLock { state in
            if state.keys[key]?.number == number { state.keys[key] = nil }
        }
    }

    private func find(_ key: ClaimedKey) throws(LedgerError) -> KeyRecord? {
        guard let account = state.withLock({ $0.accounts[key.account]?.id }) else { return nil }
        return try read { (reader) throws(SQLiteError) in try reader.key(key.key, account: account) }
    }
}

/// A row of `idem`.
struct KeyRecord: Sendable {
    let request: [UInt8]
    let invocation: InvocationID
    /// 1 kept, 2 too large to keep, 3 too large and run again.
    let state: Int
    let status: Int
    let response: [UInt8]
    let expires: Int64
}

extension Refusal {
    fileprivate static func inFlight(_ key: ClaimedKey) -> Refusal {
        .key(
            .keyInFlight,
            account: key.account,
            retryAfterSeconds: 1,
            "A call with idempotency key \"\(key.key)\" is running; retry with the same key to have its answer."
        )
    }

    fileprivate static func mismatch(_ key: ClaimedKey) -> Refusal {
        .key(
            .keyMismatch,
            account: key.account,
            "Idempotency key \"\(key.key)\" was used for another request; use a new key for a new request."
        )
    }

    fileprivate static func answerGone(_ key: ClaimedKey, _ invocation: InvocationID) -> Refusal {
        .key(
            .keyAnswerGone,
            account: key.account,
            "The call with idempotency key \"\(key.key)\" was made as \(invocation) and answered; its answer was too large "
                + "to keep and has been computed a second time already. Use a new key to run it again."
        )
    }
}
