internal import Glibc
internal import NIOCore
internal import Sandbox

/// Writes the files of one new version as a build box names them: every name is checked, every link refused, every
/// byte counted.
struct VersionWriter: ~Copyable {
    private let root: Descriptor
    private let limits: Limits
    private var file: Descriptor?
    private var path = ""
    private var bytesLeft: UInt64 = 0
    private var files = 0
    private var bytes: UInt64 = 0
    private var directories: Set<String> = []

    init(root: consuming Descriptor, limits: Limits) {
        self.root = root
        self.limits = limits
    }

    /// Begins a file: size and path as a box announced them.
    ///
    /// - Parameters:
    ///   - announcement: the size and the path.
    ///   - isExecutable: whether it may be executed.
    ///   - folders: the folders in which everything of this step must lie, such as `code`.
    /// - Throws: `StoreError` naming the file, the rule and the limit.
    mutating func begin(_ announcement: ByteBuffer, isExecutable: Bool, in folders: [String]) throws(StoreError) {
        var announcement = announcement
        guard bytesLeft == 0 else { throw StoreError(path: path, reason: "\(bytesLeft) bytes short") }
        guard let size = announcement.readInteger(endianness: .little, as: UInt64.self) else {
            throw StoreError(path: "", reason: "a file without a size")
        }
        path = String(decoding: announcement.readableBytesView, as: UTF8.self)
        try Self.check(path, in: folders)
        files += 1
        bytes += min(size, UInt64(limits.versionBytesMax) + 1)
        guard files <= limits.versionFilesMax else {
            throw StoreError(path: "", reason: "more than \(limits.versionFilesMax) files")
        }
        guard bytes <= UInt64(limits.versionBytesMax) else {
            throw StoreError(path: "", reason: "more than \(limits.versionBytesMax) bytes in all")
        }
        try checkRoom(for: size)
        try makeParents()
        do {
            let mode: UInt32 = isExecutable ? 0o755 : 0o644
            file = try Host.open(beneath: root, path, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        } catch { throw StoreError(path: path, reason: "\(error)") }
        bytesLeft = size
    }

    /// Writes the next bytes of the file.
    mutating func write(_ data: ByteBuffer) throws(StoreError) {
        guard UInt64(data.readableBytes) <= bytesLeft, let file = file.take() else {
            throw StoreError(path: path, reason: "more bytes than announced")
        }
        var data = data
        while data.readableBytes > 0 {
            let written = data.withUnsafeReadableBytes { Glibc.write(file.raw, $0.baseAddress, $0.count) }
            guard written > 0 else { throw StoreError(path: path, reason: errorText(errno)) }
            data.moveReaderIndex(forwardBy: written)
            bytesLeft -= UInt64(written)
        }
        self.file = consume file
    }

    /// Ends a step: the last file must be whole, and everything must be on the disk.
    mutating func finish() throws(StoreError) {
        guard bytesLeft == 0 else { throw StoreError(path: path, reason: "\(bytesLeft) bytes short") }
        file = nil
        do { try FileTree.sync(root) } catch { throw StoreError(path: "", reason: "\(error)") }
    }

    /// The databases lie on the same disk, and a ledger that cannot be written stops everything.
    private func checkRoom(for size: UInt64) throws(StoreError) {
        guard let space = Disk.space(root) else { return }
        let reserve = min(UInt64(limits.diskReserveBytes), space.bytes / 10)
        guard space.freeBytes > reserve, space.freeBytes - reserve > size else {
            throw StoreError(
                path: path,
                reason: "no room: \(space.freeBytes) bytes are free on the server, \(reserve) are kept for its records"
            )
        }
    }

    private mutating func makeParents() throws(StoreError) {
        var parent = ""
        for part in path.split(separator: "/").dropLast() {
            parent += parent.isEmpty ? String(part) : "/" + part
            guard directories.insert(parent).inserted else { continue }
            guard mkdirat(root.raw, parent, 0o755) == 0 || errno == EEXIST else {
                throw StoreError(path: parent, reason: errorText(errno))
            }
        }
    }

    static let pathBytesMax = 1_100
    private static let depthMax = 40

    /// Names are relative, without `.`, `..`, empty parts or control characters, and lie in the step's own folders.
    static func check(_ path: String, in folders: [String]) throws(StoreError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard path.utf8.count <= pathBytesMax, parts.count <= depthMax else {
            throw StoreError(
                path: String(path.prefix(80)),
                reason: "longer than \(pathBytesMax) bytes or deeper than \(depthMax)"
            )
        }
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
        let hasControls = path.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" }
        guard isPlain, !hasControls, parts.count > 1, folders.contains(String(parts[0])) else {
            let places = folders.map { $0 + "/" }.joined(separator: " or ")
            throw StoreError(path: String(path.prefix(80)), reason: "not a plain relative path in \(places)")
        }
    }
}
