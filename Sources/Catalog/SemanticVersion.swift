/// The number of a published version, `major.minor.revision`.
public struct SemanticVersion: Sendable, Hashable {
    /// Counts changes that break callers.
    public let major: Int
    /// Counts deploys.
    public let minor: Int
    /// Counts repairs.
    public let revision: Int

    /// Makes a number of its parts.
    ///
    /// - Parameters:
    ///   - major: counts changes that break callers.
    ///   - minor: counts deploys.
    ///   - revision: counts repairs.
    public init(_ major: Int, _ minor: Int, _ revision: Int) {
        precondition(min(major, minor, revision) >= 0, "negative version \(major).\(minor).\(revision)")
        self.major = major
        self.minor = minor
        self.revision = revision
    }

    /// What an algorithm without versions counts from.
    static let zero = SemanticVersion(0, 0, 0)

    /// The number of the next deploy: one part counts up, those behind it start again.
    func next(_ bump: VersionBump) -> SemanticVersion {
        switch bump {
        case .major: SemanticVersion(major + 1, 0, 0)
        case .minor: SemanticVersion(major, minor + 1, 0)
        case .revision: SemanticVersion(major, minor, revision + 1)
        }
    }
}

/// Which part of a version's number a deploy counts up, and so what its callers may expect.
public enum VersionBump: String, Sendable, CaseIterable {
    /// Anything may be different.
    case major
    /// Something is new; the price may be.
    case minor
    /// A repair: as public and as expensive as what it repairs.
    case revision
}

extension SemanticVersion: Comparable, CustomStringConvertible {
    /// Compares major, then minor, then revision.
    public static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        (left.major, left.minor, left.revision) < (right.major, right.minor, right.revision)
    }

    /// The dotted form, for example `1.2.3`.
    public var description: String { "\(major).\(minor).\(revision)" }
}
