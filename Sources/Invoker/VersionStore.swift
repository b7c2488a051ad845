internal import Glibc
internal import NIOCore
internal import Sandbox

/// The key under which a version's files lie: 64 hex digits, made by the daemon, never by a client.
public enum StoreKey {
    /// The 32 bytes behind a key.
    static func bytes(_ key: String) -> [UInt8] {
        let digits = Array(key.utf8)
        precondition(digits.count == 64, "a store key has 64 hex digits, got \(digits.count)")
        return stride(from: 0, to: 64, by: 2).map { UInt8(key.dropFirst($0).prefix(2), radix: 16) ?? 0 }
    }

    /// The key of these 32 bytes.
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A key that no version had before.
    public static func random() -> String {
        text((0..<32).map { _ in UInt8.random(in: .min ... .max) })
    }
}

/// Why a version's files could not be written: the archive's fault, or ours.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file concerned.
    public var path: String
    /// What was wrong, with the limit where there is one.
    public var reason: String

    /// One line for people.
    public var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
}

/// The directory in which versions lie, each in a new directory that only the daemon ever writes.
public struct VersionStore: Sendable {
    /// The path of the store.
    public let path: String
    private let limits: Limits

    /// Uses an existing directory.
    public init(path: String, limits: Limits) {
        self.path = path
        self.limits = limits
    }

    /// Whether there is a directory of this key.
    func has(_ key: String) -> Bool { access(path + "/" + key, F_OK) == 0 }

    /// Begins an environment's directory beside its place; what a former run left of it goes.
    func beginEnvironment(_ key: String) throws(StoreError) -> VersionWriter {
        do { try FileTree.remove(path + "/" + Self.unfinished(key)) } catch {
            throw StoreError(path: key, reason: "\(error)")
        }
        return try begin(Self.unfinished(key))
    }

    /// Puts an environment that is whole in its place: rename(2).
    func finishEnvironment(_ key: String) throws(StoreError) {
        guard rename(path + "/" + Self.unfinished(key), path + "/" + key) == 0 else {
            throw StoreError(path: key, reason: errorText(errno))
        }
    }

    private static func unfinished(_ key: String) -> String { "unfinished-" + key }

    /// Begins a version's directory, which must not exist yet.
    func begin(_ key: String) throws(StoreError) -> VersionWriter {
        let place = path + "/" + key
        guard mkdir(place, 0o755) == 0 else { throw StoreError(path: key, reason: errorText(errno)) }
        do {
            let root = try Descriptor.open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            guard fchmod(root.raw, 0o755) == 0 else { throw SandboxError("open", errno: errno, place) }
            return VersionWriter(root: root, limits: limits)
        } catch { throw StoreError(path: key, reason: "\(error)") }
    }

    /// Reads a small file of a version, nil when it is not there.
    func read(_ key: String, _ file: String, bytesMax: Int) throws(StoreError) -> ByteBuffer? {
        guard let source = try open(key, file) else { return nil }
        var buffer = ByteBufferAllocator().buffer(capacity: 4_096)
        while buffer.readableBytes <= bytesMax {
            let length = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 4_096) {
                max(Glibc.read(source.raw, $0.baseAddress, $0.count), 0)
            }
            if length == 0 { return buffer }
        }
        throw StoreError(path: file, reason: "larger than \(bytesMax) bytes")
    }

    /// Reads what a version was built with; nil when it was built before locks were kept.
    ///
    /// Blocks.
    public func lock(_ key: String) throws(StoreError) -> VersionLock? {
        guard let interpreter = try read(key, "lock/interpreter", bytesMax: 4_096) else { return nil }
        let requirements = try read(key, "lock/requirements.txt", bytesMax: 1 << 20)
        return VersionLock(
            interpreter: String(buffer: interpreter).trimmingNewline,
            requirements: requirements.map { String(buffer: $0) } ?? ""
        )
    }

    private func open(_ key: String, _ file: String) throws(StoreError) -> Descriptor? {
        do throws(SandboxError) {
            let root = try Descriptor.open(path + "/" + key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            return try Host.open(beneath: root, file, O_RDONLY)
        } catch {
            if error.errno == ENOENT { return nil }
            throw StoreError(path: file, reason: "\(error)")
        }
    }

    /// Removes a version's directory; nothing in it is a link that could lead elsewhere, and none is followed.
    ///
    /// - Throws: `StoreError` when something is left.
    public func remove(_ key: String) throws(StoreError) {
        precondition(key.utf8.count == 64, "a store key has 64 digits, got \(key)")
        do { try FileTree.remove(path + "/" + key) } catch { throw StoreError(path: key, reason: "\(error)") }
    }
}

func errorText(_ code: Int32) -> String { "\(String(cString: strerror(code))) (errno \(code))" }
