internal import FoundationEssentials

/// Quotas, usage and the audit.
extension FaasClient {
    /// Sets a limit.
    ///
    /// - Parameters:
    ///   - scope: for example `account:anna`.
    ///   - metric: for example `requests_per_second`.
    ///   - limit: the most there may be.
    ///   - revision: the revision that it must be at, 0 for one that is not set; nil for any.
    /// - Returns: the limit as it is now.
    /// - Throws: `ClientError`.
    public func setQuota(
        scope: String,
        metric: String,
        limit: Int64,
        ifRevision revision: Int64? = nil
    ) async throws(ClientError) -> Answer<QuotaRecord> {
        struct Body: Encodable {
            let scope: String
            let metric: String
            let limit: Int64
            let if_rev: Int64?
        }
        let body = Body(scope: scope, metric: metric, limit: limit, if_rev: revision)
        return try await send(Request(.put, "v1", "manage", "quotas").carrying(json: body))
    }

    /// Lists the limits of a scope or a metric, or all.
    public func quotas(
        scope: String? = nil,
        metric: String? = nil
    ) async throws(ClientError) -> Answer<Results<QuotaRecord>> {
        try await send(Request(.get, "v1", "manage", "quotas").adding("scope", scope).adding("metric", metric))
    }

    /// Takes a limit away.
    ///
    /// - Parameters:
    ///   - scope: what it limits.
    ///   - metric: what it counts.
    ///   - revision: the revision that it must be at; nil for any.
    /// - Returns: whether there was one.
    /// - Throws: `ClientError`.
    public func removeQuota(
        scope: String,
        metric: String,
        ifRevision revision: Int64? = nil
    ) async throws(ClientError) -> Answer<RemovedQuota> {
        let request = Request(.delete, "v1", "manage", "quotas").adding("scope", scope).adding("metric", metric)
        return try await send(request.adding("if_rev", revision.map { "\($0)" }))
    }

    /// Shows which limits hold for an account, and which is the closest.
    ///
    /// - Parameters:
    ///   - account: who calls.
    ///   - key: the id of the key that is used.
    ///   - algorithm: `OWNER/NAME` of what is called.
    /// - Returns: the limits of each metric.
    /// - Throws: `ClientError`.
    public func explainQuotas(
        account: String,
        key: String? = nil,
        algorithm: String? = nil
    ) async throws(ClientError) -> Answer<QuotaExplanation> {
        let request = Request(.get, "v1", "manage", "quotas", "explain")
        return try await send(
            request.adding("account", account).adding("key", key).adding("algorithm", algorithm)
        )
    }

    /// Lists calls, newest first.
    ///
    /// - Parameters:
    ///   - account: who paid; nil for all.
    ///   - limit: how many at most.
    /// - Returns: the records.
    /// - Throws: `ClientError`.
    public func usage(
        account: String? = nil,
        limit: Int? = nil
    ) async throws(ClientError) -> Answer<Results<UsageRecord>> {
        let request = Request(.get, "v1", "manage", "usage").adding("account", account)
        return try await send(request.adding("limit", limit.map { "\($0)" }))
    }

    /// Shows one call.
    public func usage(id: String) async throws(ClientError) -> Answer<UsageRecord> {
        try await send(Request(.get, "v1", "manage", "usage", id))
    }

    /// Explains one call line by line.
    public func explanation(id: String) async throws(ClientError) -> Answer<CallExplanation> {
        try await send(Request(.get, "v1", "manage", "usage", id, "explanation"))
    }
}

extension Request {
    func carrying(object: [String: String]) throws(ClientError) -> Request { try carrying(json: object) }

    func carrying(json body: some Encodable) throws(ClientError) -> Request {
        do {
            return carrying(Array(try JSONEncoder().encode(body)), as: "application/json")
        } catch {
            throw .invalid("body", "\(body)", rule: "text that JSON can carry")
        }
    }
}
