/// How long the client waits and how much it reads.
public enum ClientLimits {
    /// Time to make a connection, in seconds.
    public static let connectSeconds: Int64 = 5
    /// Time of a management request, in seconds.
    public static let requestSeconds: Int64 = 30
    /// Time of a deploy, in seconds: the daemon installs what the algorithm requires meanwhile.
    public static let deploySeconds: Int64 = 20 * 60
    /// Time of an audit, in seconds: it reads the whole ledger.
    public static let auditSeconds: Int64 = 20 * 60
    /// Time of a call, in seconds, as the daemon accepts it.
    public static let callSeconds: ClosedRange<Int> = 1...3_000
    /// What the client waits beyond the time of a call, in seconds: waiting for a worker and loading it are not part of it.
    public static let callMarginSeconds: Int64 = 60
    /// Longest input of a call, in bytes: 10 MiB.
    public static let inputBytesMax = 10 << 20
    /// Longest archive of a deploy, in bytes: 100 MiB.
    public static let archiveBytesMax = 100 << 20
    /// Longest answer read, in bytes: a result of 15 MB, whose text may be six times as long in JSON.
    public static let answerBytesMax = 100 << 20
    /// Longest path of a Unix socket, in bytes (unix(7): `sun_path` with its final zero is 108).
    public static let socketPathBytesMax = 107
    /// Longest key, in characters.
    public static let keyCharactersMax = 256
    /// Piece of an archive that is handed to the connection at once, in bytes.
    static let uploadChunkBytes = 256 << 10
}
