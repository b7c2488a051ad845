internal import CSandbox
internal import CSpawnerProtocol
internal import Glibc

/// What stands behind the policy's structure in its memory file: the contents of files in boxes.
struct PolicyContents: ~Copyable {
    private let offset: UInt64
    private(set) var bytes: [UInt8] = []

    /// Begins at this place of the memory file.
    init(offset: UInt64) { self.offset = offset }

    /// The size of the memory file so far.
    var end: UInt64 { offset + UInt64(bytes.count) }

    /// Adds the contents of a file and tells where they begin.
    mutating func add(_ content: [UInt8]) -> UInt64 {
        let place = end
        bytes += content
        return place
    }
}

extension Profile.Mount {
    /// The largest file of the host of which boxes get a copy; bytes.
    private static let fileBytesMax = 4 << 20

    /// Where it stands in a box, as a relative path.
    private var place: String {
        switch self {
        case .directory(_, let place), .file(_, let place), .text(_, let place), .symlink(_, let place),
            .point(let place), .device(_, let place):
            place
        }
    }

    /// The mounts, each behind the directories that lead to it.
    static func withParents(_ mounts: [Self]) -> [Self] {
        var known: Set<String> = []
        return mounts.flatMap { mount in
            let parts = mount.place.split(separator: "/")
            let parents = parts.indices.dropFirst().map { parts[..<$0].joined(separator: "/") }
            return parents.filter { known.insert($0).inserted }.map { Self.point($0) } + [mount]
        }
    }

    func write(
        to target: UnsafeMutablePointer<sp_profile>,
        _ contents: inout PolicyContents
    ) throws(SandboxError) {
        let optional = UInt32(SP_OPTIONAL.rawValue)
        let code =
            switch self {
            case .directory(let source, let place):
                sbx_profile_add_mount(
                    target,
                    SP_MOUNT_DIRECTORY.rawValue,
                    place == "usr" || place == "rt" ? 0 : optional,
                    source,
                    place
                )
            case .file(let source, let place): try Self.add(copyOf: source, at: place, to: target, &contents)
            case .text(let content, let place): Self.add(Array(content.utf8), at: place, to: target, &contents)
            case .symlink(let source, let place):
                sbx_profile_add_mount(target, SP_MOUNT_SYMLINK.rawValue, 0, source, place)
            case .device(let source, let place):
                sbx_profile_add_mount(target, SP_MOUNT_DEVICE.rawValue, 0, source, place)
            case .point(let place): sbx_profile_add_mount(target, SP_MOUNT_POINT.rawValue, 0, "", place)
            }
        try check(code, "policy", "mount \(self)")
    }

    /// A copy as it is now; nothing where the host has no such file.
    private static func add(
        copyOf source: String,
        at place: String,
        to target: UnsafeMutablePointer<sp_profile>,
        _ contents: inout PolicyContents
    ) throws(SandboxError) -> CInt {
        guard let file = try? Descriptor.open(source, O_RDONLY | O_NONBLOCK) else { return 0 }
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= fileBytesMax else {
            throw SandboxError("policy", "\(source): not a regular file of at most \(fileBytesMax) bytes")
        }
        let bytes = Kernel.bytes(file.raw)
        guard bytes.count == status.st_size else { throw SandboxError("policy", "\(source): changes while it is read") }
        return add(bytes, at: place, to: target, &contents)
    }

    private static func add(
        _ bytes: [UInt8],
        at place: String,
        to target: UnsafeMutablePointer<sp_profile>,
        _ contents: inout PolicyContents
    ) -> CInt {
        sbx_profile_add_file(target, place, contents.add(bytes), UInt64(bytes.count))
    }
}
