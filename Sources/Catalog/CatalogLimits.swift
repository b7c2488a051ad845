/// The bounds of everything the catalog stores; a value outside one is refused with ``CatalogError``.
public enum CatalogLimits {
    /// Longest user name, in characters.
    public static let userNameCharactersMax = 30
    /// Longest algorithm name, in characters.
    public static let algorithmNameCharactersMax = 64
    /// Longest label of a key, in characters.
    public static let labelCharactersMax = 100
    /// Most keys of one user that are not revoked.
    public static let keysPerUserMax = 1_000
    /// Royalty of one call, in microcredits; the upper bound is the largest integer that JSON carries exactly.
    public static let royaltyMicrocredits: ClosedRange<Int64> = 0...((1 << 53) - 1)
    /// Memory of one worker, in bytes: 16 … 16,384 MiB.
    public static let memoryBytes: ClosedRange<Int64> = mebibytes(16)...mebibytes(16_384)
    /// Memory of one worker when the author names none, in bytes: 512 MiB.
    public static let memoryBytesDefault: Int64 = mebibytes(512)
    /// Processors of one worker.
    public static let cpus: ClosedRange<Int> = 1...16
    /// Processors of one worker when the author names none.
    public static let cpusDefault = 1
    /// Time of one call, in seconds.
    public static let timeoutSeconds: ClosedRange<Int> = 1...3_000
    /// Time of one call when the author names none, in seconds.
    public static let timeoutSecondsDefault = 300
    /// Processes and threads of one worker.
    public static let pidsMax: ClosedRange<Int> = 1...4_096
    /// Processes and threads of one worker when the author names none.
    public static let pidsMaxDefault = 64
    /// Space in a worker's `/tmp`, in bytes: 1 … 16,384 MiB.
    public static let tmpBytes: ClosedRange<Int64> = mebibytes(1)...mebibytes(16_384)
    /// Space in a worker's `/tmp` when the author names none, in bytes: 512 MiB.
    public static let tmpBytesDefault: Int64 = mebibytes(512)

    /// Random characters after `sim` in the secret of a key.
    static let secretRandomCharacters = 25
    /// Random characters after `key_` in the id of a key.
    static let keyIDRandomCharacters = 12
    /// Hexadecimal digits of a version's hash.
    static let hashDigits = 40
    /// Hexadecimal digits of a version's store key.
    static let storeKeyDigits = 64
    /// Characters of a refused value that an error repeats.
    static let echoedCharactersMax = 100

    static func mebibytes(_ count: Int64) -> Int64 { count << 20 }
}
