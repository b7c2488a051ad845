/// Everything in the catalog that calls ask for, in memory; each question is a hash lookup.
///
/// It decides nothing about storage: ``Catalog`` writes the file first and then changes this.
struct CatalogState: Sendable {
    private(set) var usersByName: [String: User] = [:]
    private(set) var keysByID: [String: ApiKey] = [:]
    private(set) var versionsByID: [Int64: AlgorithmVersion] = [:]
    var algorithms: [String: AlgorithmEntry] = [:]
    private var keysByDigest: [KeyDigest: String] = [:]
    private var keyIDsByUser: [String: [String]] = [:]
    private var namesByOwner: [String: [String]] = [:]
    /// How many building and ready versions use a store key.
    private var storeKeyUses: [String: Int] = [:]
    /// Failed and deleted versions whose files may still exist.
    private var leftovers: [Int64: String] = [:]
}

// MARK: - Users and keys

extension CatalogState {
    func user(named name: String) -> User? { usersByName[Grammar.folded(name)] }

    mutating func add(_ user: User) { usersByName[Grammar.folded(user.name)] = user }

    /// The key with that hash, unless it was revoked.
    func key(_ digest: KeyDigest) -> ApiKey? { keysByDigest[digest].flatMap { keysByID[$0] } }

    func keys(user: String) -> [ApiKey] {
        (keyIDsByUser[Grammar.folded(user)] ?? []).compactMap { keysByID[$0] }
    }

    mutating func add(_ key: ApiKey, digest: KeyDigest) {
        keysByID[key.id] = key
        keyIDsByUser[Grammar.folded(key.user), default: []].append(key.id)
        if !key.isRevoked { keysByDigest[digest] = key.id }
    }

    mutating func revokeKey(_ id: String, digest: KeyDigest) {
        keysByID[id]?.isRevoked = true
        keysByDigest[digest] = nil
    }
}

// MARK: - Algorithms and versions

extension CatalogState {
    /// How an algorithm is found: neither its owner's nor its own name depends on case.
    static func algorithmKey(_ owner: String, _ name: String) -> String { Grammar.folded("\(owner)/\(name)") }

    func algorithm(_ owner: String, _ name: String) -> AlgorithmEntry? {
        algorithms[Self.algorithmKey(owner, name)]
    }

    func algorithms(owner: String) -> [AlgorithmEntry] {
        (namesByOwner[Grammar.folded(owner)] ?? []).compactMap { algorithm(owner, $0) }
    }

    mutating func add(_ entry: AlgorithmEntry) {
        algorithms[Self.algorithmKey(entry.owner, entry.name)] = entry
        namesByOwner[Grammar.folded(entry.owner), default: []].append(entry.name)
    }

    /// Adds a version, or puts it in the place of its former state.
    mutating func add(_ version: AlgorithmVersion) {
        let isNew = versionsByID.updateValue(version, forKey: version.id) == nil
        algorithms[Self.algorithmKey(version.owner, version.name)]?.add(version)
        if isNew { storeKeyUses[version.storeKey, default: 0] += 1 }
    }

    /// Takes out a version whose build failed.
    mutating func fail(_ version: AlgorithmVersion) {
        algorithms[Self.algorithmKey(version.owner, version.name)]?.removeBuilding(version.id)
        drop(version)
    }

    /// Takes out an algorithm with all its versions; its name and numbers stay reserved for its owner.
    mutating func deleteAlgorithm(_ entry: AlgorithmEntry) {
        for version in entry.building.values { drop(version) }
        for version in entry.ready.values { drop(version) }
        let key = Self.algorithmKey(entry.owner, entry.name)
        algorithms[key]?.removeAll()
        algorithms[key]?.isDeleted = true
    }

    private mutating func drop(_ version: AlgorithmVersion) {
        versionsByID[version.id] = nil
        leftovers[version.id] = version.storeKey
        let uses = storeKeyUses[version.storeKey, default: 1] - 1
        storeKeyUses[version.storeKey] = uses == 0 ? nil : uses
    }
}

// MARK: - Leftovers

extension CatalogState {
    mutating func addLeftover(_ id: Int64, storeKey: String) { leftovers[id] = storeKey }

    mutating func removeLeftover(_ id: Int64) { leftovers[id] = nil }

    func isLeftover(_ id: Int64) -> Bool { leftovers[id] != nil }

    /// Failed and deleted versions whose store key no living version uses.
    func removable() -> [RemovableVersion] {
        leftovers.lazy.filter { storeKeyUses[$0.value] == nil }
            .map { RemovableVersion(id: $0.key, storeKey: $0.value) }
            .sorted { $0.id < $1.id }
    }
}
