internal import SQLite

extension Catalog {
    /// Creates a key.
    ///
    /// - Parameters:
    ///   - name: the user it acts for.
    ///   - kind: what it may do.
    ///   - label: what the user writes about it: one line, at most 100 characters.
    /// - Returns: the key, and its secret (`sim` and 25 characters), which is stored nowhere.
    /// - Throws: `CatalogError`: `.notFound` for the user, `.invalid` for the label, `.taken` with 1,000 keys in use.
    public func createKey(
        user name: String,
        kind: KeyKind,
        label: String = ""
    ) throws(CatalogError) -> (key: ApiKey, secret: String) {
        guard Grammar.isLabel(label) else {
            throw .invalid("label", label, limit: "one line of at most 100 characters")
        }
        let secret = KeyMaterial.secret()
        let digest = KeyDigest(secret: secret)
        let key = try store.write { (connection) throws(CatalogError) in
            let user = try existingUser(name)
            try refuseAnotherKey(of: user)
            let key = ApiKey(
                id: KeyMaterial.id(),
                user: user.name,
                kind: kind,
                label: label,
                mask: KeyMaterial.mask(secret),
                createdMicroseconds: now(),
                isRevoked: false
            )
            try insert(key, of: user, digest: digest, into: connection)
            apply { $0.add(key, digest: digest) }
            return key
        }
        return (key, secret)
    }

    /// The key with that secret, or nil when there is none or it was revoked; no disk is touched.
    public func key(forSecret secret: String) -> ApiKey? {
        let digest = KeyDigest(secret: secret)
        return read { $0.key(digest) }
    }

    /// The key with that id, revoked or not, or nil.
    public func key(id: String) -> ApiKey? {
        read { $0.keysByID[id] }
    }

    /// The keys of one user, or of all users, oldest first, revoked ones included.
    ///
    /// - Parameter name: a user's name; nil for all.
    /// - Returns: the keys, without their secrets.
    /// - Throws: `CatalogError` with reason `.notFound` for an unknown user.
    public func keys(user name: String? = nil) throws(CatalogError) -> [ApiKey] {
        let keys: [ApiKey]
        if let name {
            let user = try existingUser(name)
            keys = read { $0.keys(user: user.name) }
        } else {
            keys = read { Array($0.keysByID.values) }
        }
        return keys.sorted { ($0.createdMicroseconds, $0.id) < ($1.createdMicroseconds, $1.id) }
    }

    /// Revokes a key for good; revoking it again changes nothing.
    ///
    /// - Parameter id: the key's id, not its secret.
    /// - Returns: the key, revoked.
    /// - Throws: `CatalogError` with reason `.notFound`, or `.storage`.
    @discardableResult
    public func revokeKey(id: String) throws(CatalogError) -> ApiKey {
        try store.write { (connection) throws(CatalogError) in
            guard var key = key(id: id) else { throw .notFound("key", id) }
            let digests = try connection.transaction(to: "revoke a key") { () throws(SQLiteError) in
                try connection.query("UPDATE keys SET revoked = 1 WHERE id = ? RETURNING digest", Value(id)) {
                    (row) throws(SQLiteError) in KeyDigest(stored: row.bytes(0))
                }
            }
            apply { state in digests.forEach { state.revokeKey(id, digest: $0) } }
            key.isRevoked = true
            return key
        }
    }

    private func refuseAnotherKey(of user: User) throws(CatalogError) {
        let count = read { $0.keys(user: user.name) }.count { !$0.isRevoked }
        guard count < CatalogLimits.keysPerUserMax else {
            throw CatalogError(
                .taken,
                field: "user",
                value: user.name,
                limit: "\(CatalogLimits.keysPerUserMax) keys",
                message: "user \(user.name) has \(count) keys, which is the most there may be; revoke one first"
            )
        }
    }

    private func insert(
        _ key: ApiKey,
        of user: User,
        digest: KeyDigest,
        into connection: Connection
    ) throws(CatalogError) {
        try connection.transaction(to: "create a key") { () throws(SQLiteError) in
            try connection.run(
                "INSERT INTO keys(id, user, kind, label, mask, digest, created_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
                Value(key.id),
                Value(user.id),
                Value(key.kind.rawValue),
                Value(key.label),
                Value(key.mask),
                Value(digest.bytes),
                Value(key.createdMicroseconds)
            )
        }
    }
}
