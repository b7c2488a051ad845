internal import FaasClient
internal import FoundationEssentials
internal import Glibc

/// Where a call's input comes from.
enum CallSource: Equatable {
    /// The command line, as text.
    case text(String)
    /// The command line, as JSON.
    case json(String)
    /// A file; its name tells what it holds.
    case file(String)
    /// Standard input; its bytes tell what it holds.
    case standardInput

    /// Reads the whole input.
    ///
    /// - Throws: `CommandFailure` when it cannot be read or is longer than 10 MiB.
    func read() throws(CommandFailure) -> CallInput {
        switch self {
        case .text(let text):
            return .text(try Self.bounded(Array(text.utf8), "--data"))
        case .json(let text):
            return .json(try Self.bounded(Array(text.utf8), "--json-data"))
        case .file(let path):
            let bytes = try Self.readFile(path)
            if path.hasSuffix(".json") { return .json(bytes) }
            return path.hasSuffix(".txt") ? .text(bytes) : .binary(bytes)
        case .standardInput:
            if Terminal.isInputTerminal { Output.complain("reading the input from the terminal; end it with Ctrl-D") }
            let bytes = try Self.drain(STDIN_FILENO, "standard input")
            return String(validating: bytes, as: UTF8.self) == nil ? .binary(bytes) : .text(bytes)
        }
    }

    /// Checks that text is one JSON document.
    static func checkJSON(_ text: String) throws {
        do {
            _ = try JSONDecoder().decode(AnyJSON.self, from: Data(text.utf8))
        } catch {
            throw ArgumentRule("--json-data is not JSON: '\(text.prefix(60))'; text goes with --data")
        }
    }

    private static func readFile(_ path: String) throws(CommandFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure(.unreachable, "\(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        return try drain(descriptor, path)
    }

    /// Reads to the end, or to the first byte too many.
    private static func drain(_ descriptor: Int32, _ name: String) throws(CommandFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= ClientLimits.inputBytesMax {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure(.unreachable, "\(name): \(String(cString: strerror(errno)))") }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        return try bounded(bytes, name)
    }

    private static func bounded(_ bytes: [UInt8], _ name: String) throws(CommandFailure) -> [UInt8] {
        guard bytes.count <= ClientLimits.inputBytesMax else {
            throw CommandFailure(.refused, "\(name) is longer than 10 MiB, which is the most a call can take")
        }
        return bytes
    }
}

/// Any JSON value; only whether it can be read matters.
private struct AnyJSON: Decodable {
    init(from decoder: any Decoder) throws {
        // Nothing to read: the decoder has parsed the whole document before it comes here.
    }
}
