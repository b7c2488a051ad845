import FoundationEssentials
import Testing

@testable import faasctl

/// The built program, run as a person runs it.
struct Program {
    let status: Int32
    let output: String
    let errors: String

    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = ""
    ) async throws -> Program {
        try await run(path: path(), arguments, environment: environment, input: input)
    }

    static func run(
        path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = ""
    ) async throws -> Program {
        let variables = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let tool = Tool(path: path, arguments: arguments, environment: variables)
        let result = try await tool.run(input: Array(input.utf8), outputBytesMax: 1 << 20)
        return Program(
            status: result.status,
            output: String(decoding: result.bytes, as: UTF8.self),
            errors: result.errors
        )
    }

    /// Beside the program that runs the tests.
    static func path() throws -> String {
        let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var candidates = [runner] + CommandLine.arguments.filter { $0.contains(".xctest") }
        candidates = candidates.map { $0.prefix(through: $0.lastIndex(of: "/") ?? $0.startIndex) + "faasctl" }
        return try #require(candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "\(candidates)")
    }

    /// Whether standard output is exactly one JSON document.
    var isOneDocument: Bool {
        struct Whatever: Decodable { init(from decoder: any Decoder) {} }
        return (try? JSONDecoder().decode(Whatever.self, from: Data(output.utf8))) != nil
    }
}

/// A directory that goes with its owner.
final class Scratch: Sendable {
    let path: String

    init() throws {
        // Short, because the path of a socket in it may have 107 bytes.
        path = "/tmp/ctl-" + UUID().uuidString.prefix(13)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String = "x") throws -> String {
        let file = path + "/" + name
        let parent = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }
}
