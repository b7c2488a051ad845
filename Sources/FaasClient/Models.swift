/// A user.
public struct UserRecord: Decodable, Sendable {
    /// The name.
    public let name: String
    /// When it was created.
    public let created: Scalar?
}

/// A key as it is shown once, at its creation.
public struct CreatedKey: Decodable, Sendable {
    /// Its public name.
    public let id: String
    /// The secret.
    public let key: String
    /// What it may do.
    public let kind: String
}

/// A key, without its secret.
public struct KeyRecord: Decodable, Sendable {
    /// Its public name.
    public let id: String
    /// The user it acts for.
    public let user: String
    /// What it may do.
    public let kind: String
    /// What the user wrote about it.
    public let label: String?
    /// The secret's beginning and end.
    public let mask: String
    /// When it was created.
    public let created: Scalar?
    /// Whether it was revoked.
    public let revoked: Bool
}

/// A key that was revoked.
public struct RevokedKey: Decodable, Sendable {
    /// Its public name.
    public let id: String
    /// True.
    public let revoked: Bool
}

/// What an account can spend; all amounts in microcredits.
public struct Balance: Decodable, Sendable {
    /// What can be spent.
    public let availableMicrocredits: Int64
    /// What is set aside for calls that are running.
    public let heldMicrocredits: Int64
    /// What was spent so far.
    public let spentMicrocredits: Int64
}

/// A version that was deployed.
public struct Deployed: Decodable, Sendable {
    /// `OWNER/NAME`.
    public let name: String
    /// Its number.
    public let version: String
    /// The hash of its source.
    public let hash: String
    /// The runtime it uses.
    public let runtime: String
    /// The name of its lock.
    public let environment: String?
}

/// What a version was built with.
public struct VersionLockRecord: Decodable, Sendable {
    /// `OWNER/NAME`.
    public let name: String
    /// Its number.
    public let version: String
    /// The name of the lock, 64 hexadecimal digits.
    public let environment: String
    /// The interpreter.
    public let interpreter: String
    /// The installed distributions, as lines of a requirements.txt.
    public let requirements: String
}

/// An algorithm in a list.
public struct AlgorithmRecord: Decodable, Sendable {
    /// `OWNER/NAME`.
    public let name: String
    /// The number of its newest version.
    public let version: String
    /// Whether that version is public.
    public let `public`: Bool
    /// When it was created.
    public let created: Scalar?
}

/// An algorithm with its versions.
public struct AlgorithmDetails: Decodable, Sendable {
    /// `OWNER/NAME`.
    public let name: String
    /// Its versions, newest first.
    public let versions: [VersionRecord]
}

/// One version of an algorithm.
public struct VersionRecord: Decodable, Sendable {
    /// Its number.
    public let version: String
    /// The hash of its source.
    public let hash: String
    /// The runtime it uses.
    public let runtime: String
    /// Whether anyone may call it.
    public let `public`: Bool
    /// What its owner gets for a call, in microcredits.
    public let royaltyMicrocredits: Int64
    /// Memory of a worker, in bytes.
    public let memoryBytes: Int64
    /// Processors of a worker.
    public let cpus: Int
    /// Time of a call, in seconds.
    public let timeoutSeconds: Int
    /// Which calls may share a worker.
    public let isolation: String
    /// How workers come to be.
    public let start: String
    /// When it was deployed.
    public let created: Scalar?
}

/// An algorithm that was deleted.
public struct DeletedAlgorithm: Decodable, Sendable {
    /// `OWNER/NAME`.
    public let name: String
    /// True.
    public let deleted: Bool
}
