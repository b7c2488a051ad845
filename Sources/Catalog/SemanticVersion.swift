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

    /// The number of an algorithm's first version, 0.1.0.
    public static let first = SemanticVersion(0, 1, 0)

    /// The number of the next deploy: the minor part counts up, the revision starts again.
    public var nextMinor: SemanticVersion { SemanticVersion(major, minor + 1, 0) }
}

extension SemanticVersion: Comparable, CustomStringConvertible {
    /// Compares major, then minor, then revision.
    public static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        (left.major, left.minor, left.revision) < (right.major, right.minor, right.revision)
    }

    /// The dotted form, for example `1.2.3`.
    public var description: String { "\(major).\(minor).\(revision)" }
}
