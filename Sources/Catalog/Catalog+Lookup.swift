extension Catalog {
    /// Finds the version a caller means.
    ///
    /// - Parameters:
    ///   - owner: the owner's name, in any case.
    ///   - name: the algorithm's name, in any case.
    ///   - selector: none or `latest` (newest public; for the owner of a wholly private algorithm its newest),
    ///     `latestPrivate`, `1`, `1.2`, `1.2.x` (newest public of that number), `1.2.3`, or a hash of 40 digits.
    ///   - viewer: who asks; private versions exist only for their owner and for administrators.
    /// - Returns: a version that is ready.
    /// - Throws: `CatalogError` with reason `.notFound`; it is the same whether nothing is there, the selector has no
    ///   known form, or the version is not for this viewer.
    public func resolve(
        owner: String,
        name: String,
        selector: String? = nil,
        as viewer: Viewer
    ) throws(CatalogError) -> AlgorithmVersion {
        let version = VersionSelector(selector).flatMap { selector in
            read { state -> AlgorithmVersion? in
                guard let entry = state.algorithm(owner, name) else { return nil }
                return entry.version(selector, all: viewer.seesPrivate(of: entry.owner))
            }
        }
        guard let version else {
            let suffix = selector.map { "/\($0)" } ?? ""
            throw .notFound("algorithm", "algo://\(owner)/\(name)\(suffix)")
        }
        return version
    }

    /// The version with that id, building or ready; nil once it failed or was deleted.
    public func version(id: Int64) -> AlgorithmVersion? {
        read { $0.versionsByID[id] }
    }

    /// The algorithms that have a version which is ready, by name.
    ///
    /// - Parameter name: the owner's name; nil for all users.
    /// - Returns: each with its newest version.
    /// - Throws: `CatalogError` with reason `.notFound` for an unknown user.
    public func algorithms(owner name: String? = nil) throws(CatalogError) -> [Algorithm] {
        let entries: [AlgorithmEntry]
        if let name {
            let user = try existingUser(name)
            entries = read { $0.algorithms(owner: user.name) }
        } else {
            entries = read { Array($0.algorithms.values) }
        }
        return entries.compactMap(Algorithm.init).sorted {
            CatalogState.algorithmKey($0.owner, $0.name) < CatalogState.algorithmKey($1.owner, $1.name)
        }
    }

    /// The versions of an algorithm that are ready, newest first.
    ///
    /// - Parameters:
    ///   - owner: the owner's name.
    ///   - name: the algorithm's name.
    ///   - viewer: who asks; private versions are left out for strangers.
    /// - Returns: at least one version.
    /// - Throws: `CatalogError` with reason `.notFound` when the viewer may see no version of it.
    public func versions(
        owner: String,
        name: String,
        as viewer: Viewer
    ) throws(CatalogError) -> [AlgorithmVersion] {
        let entry = read { $0.algorithm(owner, name) }
        let all = entry.map { viewer.seesPrivate(of: $0.owner) } ?? false
        let versions = entry?.ready.values.filter { $0.isPublic || all } ?? []
        guard !versions.isEmpty else { throw .notFound("algorithm", "algo://\(owner)/\(name)") }
        return versions.sorted { $0.number > $1.number }
    }
}

extension Viewer {
    fileprivate func seesPrivate(of owner: String) -> Bool {
        switch self {
        case .administrator: true
        case .user(let name): Grammar.folded(name) == Grammar.folded(owner)
        case .anyone: false
        }
    }
}

extension Algorithm {
    fileprivate init?(_ entry: AlgorithmEntry) {
        guard let latest = entry.latest else { return nil }
        self.init(
            owner: entry.owner,
            name: entry.name,
            createdMicroseconds: entry.createdMicroseconds,
            latest: latest
        )
    }
}
