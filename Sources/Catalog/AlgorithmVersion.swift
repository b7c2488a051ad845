/// Which calls may share a worker.
public enum Isolation: String, Sendable, CaseIterable {
    /// Calls of one account.
    case caller
    /// None: each call gets a fresh worker.
    case call
    /// Calls of all accounts.
    case shared
}

/// How far a version has come.
public enum VersionState: String, Sendable {
    /// It is being built; nobody can call it yet.
    case building
    /// It can be called.
    case ready
    /// Its build failed; its number is free again.
    case failed
}

/// One immutable version of an algorithm, with the limits its calls run under.
public struct AlgorithmVersion: Sendable, Hashable, Identifiable {
    /// Its row in the catalog; never used again.
    public let id: Int64
    /// The user who owns the algorithm.
    public let owner: String
    /// The algorithm's name.
    public let name: String
    /// Its number.
    public let number: SemanticVersion
    /// What was deployed and how it runs.
    public let specification: VersionSpecification
    /// When its build began, in microseconds since 1970 (UTC).
    public let createdMicroseconds: Int64
    /// How far it has come.
    public internal(set) var state: VersionState

    /// `OWNER/NAME`.
    public var algorithm: String { "\(owner)/\(name)" }
    /// The hash of the deployed source, 40 hexadecimal digits.
    public var hash: String { specification.hash }
    /// Where the store keeps the built version, 64 hexadecimal digits.
    public var storeKey: String { specification.storeKey }
    /// The runtime, `python3`.
    public var runtime: String { specification.runtime }
    /// Whether anyone may call it.
    public var isPublic: Bool { specification.isPublic }
    /// What its owner gets for a call, in microcredits.
    public var royaltyMicrocredits: Int64 { specification.royaltyMicrocredits }
    /// Memory of a worker, in bytes.
    public var memoryBytes: Int64 { specification.memoryBytes }
    /// Processors of a worker.
    public var cpus: Int { specification.cpus }
    /// Time of a call, in seconds.
    public var timeoutSeconds: Int { specification.timeoutSeconds }
    /// Which calls may share a worker.
    public var isolation: Isolation { specification.isolation }
    /// How workers come to be.
    public var start: StartMode { specification.start }
    /// Processes and threads of a worker.
    public var pidsMax: Int { specification.pidsMax }
    /// Space in a worker's `/tmp`, in bytes.
    public var tmpBytes: Int64 { specification.tmpBytes }
}

/// An algorithm and its newest version.
public struct Algorithm: Sendable, Hashable {
    /// The user who owns it.
    public let owner: String
    /// Its name, spelled as at its first deploy.
    public let name: String
    /// When it was first deployed, in microseconds since 1970 (UTC).
    public let createdMicroseconds: Int64
    /// Its newest version, public or private.
    public let latest: AlgorithmVersion
}

/// A version that nothing refers to any more, but whose files may still lie in the store.
public struct RemovableVersion: Sendable, Hashable {
    /// The version.
    public let id: Int64
    /// Where the store keeps it; no building or ready version uses this key.
    public let storeKey: String
}
