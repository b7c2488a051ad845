/// What administrators do with accounts, and what owners see of them.
extension FaasClient {
    /// Shows an account with its grants.
    public func account(_ name: String) async throws(ClientError) -> Answer<AccountRecord> {
        try await send(Request(.get, "v1", "manage", "accounts", name))
    }

    /// Lists accounts by name.
    ///
    /// - Parameters:
    ///   - after: only those that come after this name.
    ///   - state: `open`, `frozen` or `closed`; nil for all.
    ///   - limit: how many at most.
    /// - Returns: the accounts without their grants.
    /// - Throws: `ClientError`.
    public func accounts(
        after: String? = nil,
        state: String? = nil,
        limit: Int? = nil
    ) async throws(ClientError) -> Answer<Results<AccountRecord>> {
        let request = Request(.get, "v1", "manage", "accounts").adding("after", after).adding("state", state)
        return try await send(request.adding("limit", limit.map { "\($0)" }))
    }

    /// Changes what an account may do.
    ///
    /// - Parameters:
    ///   - name: the account.
    ///   - change: what changes.
    ///   - reason: why, for the record.
    ///   - revision: the revision that the account must be at; nil for any.
    /// - Returns: the account as it is now.
    /// - Throws: `ClientError`.
    public func change(
        _ name: String,
        _ change: AccountChange,
        reason: String? = nil,
        ifRevision revision: Int64? = nil
    ) async throws(ClientError) -> Answer<AccountRecord> {
        struct Body: Encodable {
            var credits: String?
            let reason: String?
            let if_rev: Int64?
        }
        var body = Body(reason: reason, if_rev: revision)
        let path = ["v1", "manage", "accounts", name]
        switch change {
        case .overdraft(let credits):
            body.credits = credits
            return try await send(Request(.put, path: path + ["overdraft"]).carrying(json: body))
        case .freeze, .unfreeze, .close:
            return try await send(Request(.post, path: path + ["\(change)"]).carrying(json: body))
        }
    }

    /// Shows what an author has been paid.
    public func earnings(_ name: String) async throws(ClientError) -> Answer<EarningsRecord> {
        try await send(Request(.get, "v1", "manage", "accounts", name, "earnings"))
    }

    /// Gives an account credit with a priority and an end; the same reference gives it once only.
    ///
    /// - Parameters:
    ///   - account: the account's name.
    ///   - credits: a decimal number with at most six places, as text so that no digit is lost.
    ///   - priority: 0 … 99, lower is used first; nil for the daemon's default.
    ///   - expires: when it ends, in the form of RFC 3339; nil for never.
    ///   - reference: what the grant is called elsewhere.
    /// - Returns: the grant and the balance.
    /// - Throws: `ClientError`.
    public func grant(
        _ account: String,
        credits: String,
        priority: Int? = nil,
        expires: String? = nil,
        reference: String
    ) async throws(ClientError) -> Answer<Granted> {
        struct Body: Encodable {
            let credits: String
            let priority: Int?
            let expires: String?
            let ref: String
        }
        let body = Body(credits: credits, priority: priority, expires: expires, ref: reference)
        return try await send(Request(.post, "v1", "manage", "accounts", account, "grants").carrying(json: body))
    }

    /// Lists an account's grants in the order of their use.
    ///
    /// - Parameters:
    ///   - account: the account's name.
    ///   - all: also those that are used up or have ended.
    /// - Returns: the grants.
    /// - Throws: `ClientError`.
    public func grants(_ account: String, all: Bool = false) async throws(ClientError) -> Answer<Results<GrantRecord>> {
        let request = Request(.get, "v1", "manage", "accounts", account, "grants")
        return try await send(request.adding("all", all ? "true" : nil))
    }

    /// Corrects an account's credit by hand; the same reference does it once only.
    ///
    /// - Parameters:
    ///   - account: the account's name.
    ///   - credits: a decimal number with at most six places; with `-` before it to take credit away.
    ///   - reason: why, for the record.
    ///   - reference: what the correction is called elsewhere.
    /// - Returns: what the account can spend afterwards.
    /// - Throws: `ClientError`.
    public func adjust(
        _ account: String,
        credits: String,
        reason: String,
        reference: String
    ) async throws(ClientError) -> Answer<Balance> {
        let body = ["credits": credits, "reason": reason, "ref": reference]
        return try await send(Request(.post, "v1", "manage", "accounts", account, "adjustments").carrying(object: body))
    }

    /// Gives the charge of a call back, once.
    ///
    /// - Parameters:
    ///   - invocation: the call's id.
    ///   - reason: why, for the record.
    /// - Returns: what was given back, and the balance.
    /// - Throws: `ClientError`.
    public func refund(_ invocation: String, reason: String) async throws(ClientError) -> Answer<Refunded> {
        let request = Request(.post, "v1", "manage", "usage", invocation, "refund")
        return try await send(request.carrying(object: ["reason": reason]))
    }

    /// Lists the holds on disk that are open.
    ///
    /// - Parameter seconds: only those that are at least so old.
    /// - Returns: the holds, oldest first.
    /// - Throws: `ClientError`.
    public func holds(olderThanSeconds seconds: Int64? = nil) async throws(ClientError) -> Answer<Results<HoldRecord>> {
        try await send(Request(.get, "v1", "manage", "holds").adding("older_seconds", seconds.map { "\($0)" }))
    }
}

/// What may be changed of an account.
public enum AccountChange: Sendable, Equatable {
    /// No new calls until it is unfrozen.
    case freeze
    /// Calls again.
    case unfreeze
    /// No calls and no money, for ever.
    case close
    /// How far its credit may fall below zero, a decimal number of credits.
    case overdraft(String)
}
