/// One algorithm with its versions, indexed so that every selector is one lookup.
struct AlgorithmEntry: Sendable {
    let id: Int64
    let owner: String
    let name: String
    let createdMicroseconds: Int64
    var isDeleted = false

    private(set) var building: [Int64: AlgorithmVersion] = [:]
    private(set) var ready: [SemanticVersion: AlgorithmVersion] = [:]
    private var byHash: [String: AlgorithmVersion] = [:]
    private var publicByMajor: [Int: AlgorithmVersion] = [:]
    private var publicByMinor: [MinorNumber: AlgorithmVersion] = [:]
    private var latestPublic: AlgorithmVersion?
    private var latestPrivate: AlgorithmVersion?
    private var highestNumber: SemanticVersion?

    init(id: Int64, owner: String, name: String, createdMicroseconds: Int64) {
        self.id = id
        self.owner = owner
        self.name = name
        self.createdMicroseconds = createdMicroseconds
    }

    /// The newest version, public or private.
    var latest: AlgorithmVersion? { newest(latestPublic, latestPrivate) }

    /// The number of the next deploy; numbers of deleted versions are not given again, those of failed builds are.
    func nextNumber(_ bump: VersionBump) -> SemanticVersion {
        let used = building.values.map(\.number) + [highestNumber].compactMap(\.self)
        return (used.max() ?? .zero).next(bump)
    }

    /// Callers who ask for `1.2.x` get a revision without asking again: it must not cost more than they agreed to.
    ///
    /// - Throws: `CatalogError` with reason `.invalid` naming what the repaired version has, or that there is none.
    func checkRevision(_ specification: VersionSpecification, as number: SemanticVersion) throws(CatalogError) {
        guard number != SemanticVersion.zero.next(.revision) else { return }
        let all = Array(ready.values) + Array(building.values)
        let repaired = all.filter { ($0.number.major, $0.number.minor) == (number.major, number.minor) }
        guard let former = repaired.max(by: { $0.number < $1.number }) else {
            let minor = "\(number.major).\(number.minor)"
            throw .invalid("bump", "revision", limit: "minor or major, because no version \(minor).x is left to repair")
        }
        guard former.isPublic == specification.isPublic else {
            let wanted = "\(former.isPublic ? "public" : "private"), as \(former.number) is, in a revision of it"
            throw .invalid("public", "\(specification.isPublic)", limit: wanted)
        }
        guard former.royaltyMicrocredits == specification.royaltyMicrocredits else {
            let wanted = "\(former.royaltyMicrocredits), as \(former.number) has, in a revision of it"
            throw .invalid("royalty", "\(specification.royaltyMicrocredits)", limit: wanted)
        }
    }

    /// The version a selector means to someone who sees everything (`all`) or public versions only.
    func version(_ selector: VersionSelector, all: Bool) -> AlgorithmVersion? {
        let found =
            switch selector {
            case .latest: latestPublic ?? latestPrivate
            case .latestPrivate: latestPrivate
            case .major(let major): publicByMajor[major]
            case .minor(let major, let minor): publicByMinor[MinorNumber(major: major, minor: minor)]
            case .exact(let number): ready[number]
            case .hash(let hash): hashed(hash, all: all)
            }
        guard let found, found.isPublic || all else { return nil }
        return found
    }
}

extension AlgorithmEntry {
    /// Adds a version as it is in the catalog; a failed one changes nothing.
    mutating func add(_ version: AlgorithmVersion) {
        switch version.state {
        case .building: building[version.id] = version
        case .ready: addReady(version)
        case .failed: break
        }
    }

    mutating func removeBuilding(_ id: Int64) { building[id] = nil }

    /// Forgets every version; their numbers stay used.
    mutating func removeAll() {
        for version in building.values { useNumber(version.number) }
        building = [:]
        ready = [:]
        byHash = [:]
        publicByMajor = [:]
        publicByMinor = [:]
        latestPublic = nil
        latestPrivate = nil
    }

    mutating func useNumber(_ number: SemanticVersion) {
        highestNumber = max(highestNumber ?? number, number)
    }

    private mutating func addReady(_ version: AlgorithmVersion) {
        building[version.id] = nil
        ready[version.number] = version
        useNumber(version.number)
        let key = hashKey(version.hash, isPublic: version.isPublic)
        byHash[key] = newest(byHash[key], version)
        guard version.isPublic else {
            latestPrivate = newest(latestPrivate, version)
            return
        }
        let minor = MinorNumber(major: version.number.major, minor: version.number.minor)
        latestPublic = newest(latestPublic, version)
        publicByMajor[minor.major] = newest(publicByMajor[minor.major], version)
        publicByMinor[minor] = newest(publicByMinor[minor], version)
    }

    /// The same source may be deployed twice, once public and once private: the private one must not hide the public one.
    private func hashed(_ hash: String, all: Bool) -> AlgorithmVersion? {
        let shown = byHash[hashKey(hash, isPublic: true)]
        return all ? newest(shown, byHash[hashKey(hash, isPublic: false)]) : shown
    }

    private func hashKey(_ hash: String, isPublic: Bool) -> String { isPublic ? hash : "-" + hash }

    private func newest(_ left: AlgorithmVersion?, _ right: AlgorithmVersion?) -> AlgorithmVersion? {
        guard let left, let right else { return left ?? right }
        return left.number < right.number ? right : left
    }
}

private struct MinorNumber: Hashable {
    let major: Int
    let minor: Int
}
