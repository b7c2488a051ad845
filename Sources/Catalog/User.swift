/// An account: owner of algorithms and keys, and the one who pays.
public struct User: Sendable, Hashable {
    /// Its name, spelled as at its creation; unique without regard to case, and never given to anyone else.
    public let name: String
    /// When it was created, in microseconds since 1970 (UTC).
    public let createdMicroseconds: Int64
    let id: Int64
}

/// Who asks for a version; it decides which versions exist for them.
public enum Viewer: Sendable, Hashable {
    /// A user, who sees public versions and their own.
    case user(String)
    /// An administrator, who sees everything.
    case administrator
    /// Nobody in particular, who sees public versions.
    case anyone
}
