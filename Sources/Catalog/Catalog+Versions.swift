internal import SQLite

extension Catalog {
    /// Begins a deploy: makes the algorithm if it is new, and reserves the version's number.
    ///
    /// Numbers count from 0.0.0, so that the first is 0.1.0 unless another part is counted. A deleted algorithm comes
    /// back with its next deploy and goes on counting. Nobody can call the version before ``finishVersion(id:)``.
    ///
    /// - Parameters:
    ///   - owner: an existing user.
    ///   - name: the algorithm's name: letters, digits and `_`, at most 64 characters.
    ///   - specification: what is deployed, within ``CatalogLimits``.
    ///   - bump: which part of the number counts up.
    /// - Returns: the version, building.
    /// - Throws: `CatalogError`: `.invalid` for the name, the specification or a revision that is none, `.notFound` for
    ///   the owner.
    public func beginVersion(
        owner: String,
        name: String,
        _ specification: VersionSpecification,
        bump: VersionBump = .minor
    ) throws(CatalogError) -> AlgorithmVersion {
        guard Grammar.isAlgorithmName(name) else {
            throw .invalid("name", name, limit: "letters, digits and _, 1 to 64 characters")
        }
        try specification.validate()
        return try store.write { (connection) throws(CatalogError) in
            let user = try existingUser(owner)
            let known = read { $0.algorithm(user.name, name) }
            let started = now()
            let entry = known ?? AlgorithmEntry(id: 0, owner: user.name, name: name, createdMicroseconds: started)
            let number = entry.nextNumber(bump)
            if bump == .revision { try entry.checkRevision(specification, as: number) }
            let ids = try connection.transaction(to: "begin a version") { () throws(SQLiteError) in
                // `??` would forget the error's type here.
                let algorithm = known == nil ? try insert(entry, of: user, into: connection) : entry.id
                if entry.isDeleted {
                    try connection.run("UPDATE algorithms SET deleted = 0 WHERE id = ?", Value(algorithm))
                }
                let id = try insert(specification, number, of: algorithm, at: started, into: connection)
                return (algorithm: algorithm, version: id)
            }
            let version = AlgorithmVersion(
                id: ids.version,
                owner: entry.owner,
                name: entry.name,
                number: number,
                specification: specification,
                createdMicroseconds: started,
                state: .building
            )
            apply { $0.begin(version, of: entry, algorithm: ids.algorithm, isNew: known == nil) }
            return version
        }
    }

    /// Makes a built version callable.
    ///
    /// - Parameter id: a version that is building.
    /// - Returns: the version, ready.
    /// - Throws: `CatalogError` with reason `.state` when it is not building any more, for example deleted meanwhile.
    @discardableResult
    public func finishVersion(id: Int64) throws(CatalogError) -> AlgorithmVersion {
        try endBuild(id, as: .ready)
    }

    /// Gives a build up: its number is free again, its files are listed by ``versionsToRemove()``.
    ///
    /// - Parameter id: a version that is building.
    /// - Throws: `CatalogError` with reason `.state` when it is not building any more.
    public func failVersion(id: Int64) throws(CatalogError) {
        _ = try endBuild(id, as: .failed)
    }

    private func endBuild(_ id: Int64, as state: VersionState) throws(CatalogError) -> AlgorithmVersion {
        try store.write { (connection) throws(CatalogError) in
            guard var version = version(id: id), version.state == .building else {
                throw CatalogError(.state, field: "version", value: "\(id)", message: "version \(id) is not building")
            }
            try connection.transaction(to: "end a build") { () throws(SQLiteError) in
                try connection.run("UPDATE versions SET state = ? WHERE id = ?", Value(state.rawValue), Value(id))
            }
            version.state = state
            let ended = version
            apply { if state == .ready { $0.add(ended) } else { $0.fail(ended) } }
            return ended
        }
    }

    private func insert(
        _ entry: AlgorithmEntry,
        of user: User,
        into connection: Connection
    ) throws(SQLiteError) -> Int64 {
        try connection.run(
            "INSERT INTO algorithms(owner, name, name_folded, created_us) VALUES (?, ?, ?, ?)",
            Value(user.id),
            Value(entry.name),
            Value(Grammar.folded(entry.name)),
            Value(entry.createdMicroseconds)
        )
        return connection.lastInsertRowID
    }

    private func insert(
        _ specification: VersionSpecification,
        _ number: SemanticVersion,
        of algorithm: Int64,
        at created: Int64,
        into connection: Connection
    ) throws(SQLiteError) -> Int64 {
        let sql = """
            INSERT INTO versions(algorithm, major, minor, revision, hash, store_key, runtime, public,
              royalty_microcredits, memory_bytes, cpus, timeout_seconds, isolation, start, pids_max, tmp_bytes, created_us,
              state)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'building')
            """
        try connection.run(
            sql,
            Value(algorithm),
            Value(number.major),
            Value(number.minor),
            Value(number.revision),
            Value(specification.hash),
            Value(specification.storeKey),
            Value(specification.runtime),
            Value(specification.isPublic),
            Value(specification.royaltyMicrocredits),
            Value(specification.memoryBytes),
            Value(specification.cpus),
            Value(specification.timeoutSeconds),
            Value(specification.isolation.rawValue),
            Value(specification.start.rawValue),
            Value(specification.pidsMax),
            Value(specification.tmpBytes),
            Value(created)
        )
        return connection.lastInsertRowID
    }
}

extension CatalogState {
    fileprivate mutating func begin(
        _ version: AlgorithmVersion,
        of entry: AlgorithmEntry,
        algorithm: Int64,
        isNew: Bool
    ) {
        if isNew {
            add(
                AlgorithmEntry(
                    id: algorithm,
                    owner: entry.owner,
                    name: entry.name,
                    createdMicroseconds: entry.createdMicroseconds
                )
            )
        }
        algorithms[Self.algorithmKey(entry.owner, entry.name)]?.isDeleted = false
        add(version)
    }
}
