/// Users, their keys, and their credit.
extension FaasClient {
    /// Creates a user.
    public func createUser(_ name: String) async throws(ClientError) -> Answer<UserRecord> {
        try await send(Request(.post, "v1", "manage", "users").carrying(object: ["name": name]))
    }

    /// Lists all users.
    public func users() async throws(ClientError) -> Answer<Results<UserRecord>> {
        try await send(Request(.get, "v1", "manage", "users"))
    }

    /// Finds one user.
    public func user(_ name: String) async throws(ClientError) -> Answer<UserRecord> {
        try await send(Request(.get, "v1", "manage", "users", name))
    }

    /// Creates a key; its secret is in the answer and nowhere else.
    ///
    /// - Parameters:
    ///   - user: the user it acts for.
    ///   - kind: `algorithm`, `management` or `admin`.
    ///   - label: what the user writes about it.
    /// - Returns: the key and its secret.
    /// - Throws: `ClientError`.
    public func createKey(
        user: String,
        kind: String,
        label: String? = nil
    ) async throws(ClientError) -> Answer<CreatedKey> {
        var fields = ["user": user, "kind": kind]
        fields["label"] = label
        return try await send(Request(.post, "v1", "manage", "keys").carrying(object: fields))
    }

    /// Lists the keys of one user, or of all.
    public func keys(user: String? = nil) async throws(ClientError) -> Answer<Results<KeyRecord>> {
        try await send(Request(.get, "v1", "manage", "keys").adding("user", user))
    }

    /// Revokes a key by its id.
    public func revokeKey(_ id: String) async throws(ClientError) -> Answer<RevokedKey> {
        try await send(Request(.delete, "v1", "manage", "keys", id))
    }

    /// Adds credit to an account; the same reference adds it once only.
    ///
    /// - Parameters:
    ///   - account: the account's name.
    ///   - credits: a decimal number with at most six places, as text so that no digit is lost.
    ///   - reference: what the payment is called elsewhere.
    /// - Returns: what the account can spend afterwards.
    /// - Throws: `ClientError`.
    public func topUp(
        _ account: String,
        credits: String,
        reference: String
    ) async throws(ClientError) -> Answer<Balance> {
        let request = Request(.post, "v1", "manage", "accounts", account, "top-ups")
        return try await send(request.carrying(object: ["credits": credits, "ref": reference]))
    }

    /// Shows what an account can spend.
    public func balance(_ account: String) async throws(ClientError) -> Answer<Balance> {
        try await send(Request(.get, "v1", "manage", "accounts", account, "balance"))
    }
}
