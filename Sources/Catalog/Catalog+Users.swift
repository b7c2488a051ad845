internal import SQLite

extension Catalog {
    /// Creates a user.
    ///
    /// - Parameter name: a letter, then letters, digits and `_`, at most 30 characters.
    /// - Returns: the user.
    /// - Throws: `CatalogError`: `.invalid` for the grammar, `.taken` when the name is in use in any spelling, `.state`
    ///   when there are as many users as this catalog may have.
    @discardableResult
    public func createUser(_ name: String) throws(CatalogError) -> User {
        guard Grammar.isUserName(name) else {
            throw .invalid("name", name, limit: "a letter, then letters, digits and _, at most 30 characters")
        }
        return try store.write { (connection) throws(CatalogError) in
            if let other = user(named: name) {
                throw CatalogError(
                    .taken,
                    field: "name",
                    value: name,
                    message: "user \(other.name) exists already; names are compared without case"
                )
            }
            guard users().count < usersMax else { throw .tooManyUsers(name, usersMax) }
            let created = now()
            let id = try connection.transaction(to: "create a user") { () throws(SQLiteError) in
                try connection.run(
                    "INSERT INTO users(name, name_folded, created_us) VALUES (?, ?, ?)",
                    Value(name),
                    Value(Grammar.folded(name)),
                    Value(created)
                )
                return connection.lastInsertRowID
            }
            let user = User(name: name, createdMicroseconds: created, id: id)
            apply { $0.add(user) }
            return user
        }
    }

    /// All users, by name.
    public func users() -> [User] {
        read { Array($0.usersByName.values) }.sorted { Grammar.folded($0.name) < Grammar.folded($1.name) }
    }

    /// The user with that name in any spelling, or nil.
    public func user(named name: String) -> User? {
        read { $0.user(named: name) }
    }

    /// The user with that name, or the error that says there is none.
    func existingUser(_ name: String) throws(CatalogError) -> User {
        guard let user = user(named: name) else { throw .notFound("user", name) }
        return user
    }
}
