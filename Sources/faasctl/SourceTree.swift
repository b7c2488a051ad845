internal import FaasClient
internal import FoundationEssentials
internal import Glibc

/// The files of a directory that will be deployed: checked, and in an order that depends on their names only.
struct SourceTree: Sendable, Equatable {
    /// Names that are left out, wherever they are.
    static let excludedNames: Set<String> = [".git", "__pycache__"]
    /// Most files and directories.
    static let entriesMax = 50_000

    /// The directory.
    let root: String
    /// Paths of directories and files relative to the root, sorted by their bytes.
    private(set) var paths: [String] = []
    /// The sum of the files' sizes, in bytes.
    private(set) var bytes = 0
    private var hasPython = false

    /// Looks through a directory and checks that it can be deployed.
    ///
    /// - Parameter directory: its path.
    /// - Throws: `CommandFailure`: `.usage` when it is no directory, `.refused` for what it holds.
    init(scanning directory: String) throws(CommandFailure) {
        root = directory
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw CommandFailure(.usage, "\(directory): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFailure(.usage, "\(directory) is not a directory; DIR is the directory with the .py files")
        }
        try scan("")
        paths.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard hasPython else {
            throw CommandFailure(.refused, "\(directory) has no .py file: an algorithm is NAME.py with apply(input)")
        }
    }

    private mutating func scan(_ parent: String) throws(CommandFailure) {
        let directory = parent.isEmpty ? root : "\(root)/\(parent)"
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw CommandFailure(.unreachable, "\(directory) cannot be read: \(String(cString: strerror(errno)))")
        }
        for name in names.sorted() where !Self.excludedNames.contains(name) {
            try add(parent.isEmpty ? name : "\(parent)/\(name)")
        }
    }

    private mutating func add(_ path: String) throws(CommandFailure) {
        var status = stat()
        guard lstat("\(root)/\(path)", &status) == 0 else {
            throw CommandFailure(.unreachable, "\(root)/\(path): \(String(cString: strerror(errno)))")
        }
        paths.append(path)
        guard paths.count <= Self.entriesMax else {
            throw CommandFailure(.refused, "\(root) has more than \(Self.entriesMax) files: deploy a smaller directory")
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: try scan(path)
        case S_IFREG: try addFile(path, bytes: Int(status.st_size))
        case S_IFLNK:
            throw CommandFailure(.refused, "\(root)/\(path) is a symbolic link: replace it by the file it points to")
        default:
            throw CommandFailure(.refused, "\(root)/\(path) is neither a file nor a directory: remove it")
        }
    }

    private mutating func addFile(_ path: String, bytes count: Int) throws(CommandFailure) {
        bytes += count
        guard bytes <= ClientLimits.archiveBytesMax else {
            let limit = ClientLimits.archiveBytesMax >> 20
            throw CommandFailure(.refused, "\(root) is larger than \(limit) MiB, counted up to \(path): leave data out")
        }
        if path.hasSuffix(".py") { hasPython = true }
    }
}
