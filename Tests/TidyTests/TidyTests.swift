import Foundation
import Testing

/// What keeps the code easy to read: who may import whom, how long things may be, and that what documents name exists.
@Suite struct TidyTests {
    /// Modules of ours that a module's Swift files may import; a new module is added here, deliberately.
    static let imports: [String: Set<String>] = [
        "faasd": ["Invoker", "Sandbox", "Billing", "Catalog"],
        "Invoker": ["Sandbox", "Billing", "Catalog"],
        "Sandbox": ["CSandbox", "CSpawnerProtocol"],
        "Billing": ["SQLite"],
        "Catalog": ["SQLite"],
        "SQLite": ["CSQLite"],
        "faasctl": ["FaasClient"],
        "FaasClient": [],
    ]
    static let fileLinesMax = 500
    static let functionLinesMax = 100
    static let spawnerLinesMax = 2_200

    @Test func `a module imports only what the table allows`() throws {
        let ours = Set(Repository.paths.filter { $0.hasPrefix("Sources/") }.map { Self.module(of: $0) })
        for file in try Repository.files(in: "Sources", "swift") {
            let module = Self.module(of: file.path)
            guard let allowed = Self.imports[module] else {
                Issue.record("\(file.path): module \(module) has no row in the table of imports")
                continue
            }
            let wrong = Self.importedModules(file.text).intersection(ours).subtracting(allowed)
            #expect(wrong.isEmpty, "\(file.path) imports \(wrong.sorted()); \(module) may import \(allowed.sorted())")
        }
    }

    @Test func `the table of imports is the one in ARCHITECTURE`() throws {
        let text = try #require(try Repository.files(in: "", "md").first { $0.path == "ARCHITECTURE.md" }).text
        for (module, allowed) in Self.imports {
            let row = text.split(separator: "\n").first { $0.hasPrefix("| `\(module)` |") }
            let cells = try #require(row, "no row for \(module)").split(separator: "|")
            let named = Set(cells[1].split { !$0.isLetter }.map(String.init)).subtracting(["none"])
            #expect(named == allowed, "\(module): the document says \(named.sorted()), the test \(allowed.sorted())")
        }
    }

    @Test func `no file is longer than 500 lines`() throws {
        let files = try Repository.files(in: "", "swift", "c", "h", "py").filter { !$0.path.hasPrefix("Examples/") }
        for file in files {
            let lines = file.lines.count
            #expect(lines <= Self.fileLinesMax, "\(file.path) has \(lines) lines")
        }
        let sources = files.filter { $0.path.hasPrefix("Sources/") }.map(\.lines.count)
        print("files in Sources: \(sources.count), median \(sources.median) lines, longest \(sources.max() ?? 0)")
    }

    @Test func `no function is longer than 100 lines`() throws {
        var lengths: [Int] = []
        for file in try Repository.files(in: "Sources", "swift", "c", "h") {
            let found = FunctionLengths(file.text, isC: !file.path.hasSuffix(".swift")).functions
            lengths += found.map(\.lines)
            for long in found where long.lines > Self.functionLinesMax {
                Issue.record("\(file.path):\(long.line): \(long.name) has \(long.lines) lines")
            }
        }
        #expect(lengths.count > 500, "the counter has found only \(lengths.count) functions")
        print("functions in Sources: \(lengths.count), median \(lengths.median) lines, longest \(lengths.max() ?? 0)")
    }

    @Test func `the privileged program stays small enough to be read at one sitting`() throws {
        let files =
            try Repository.files(in: "Sources/faasd-spawner", "c", "h")
            + Repository.files(in: "Sources/CBox", "c", "h")
            + Repository.files(in: "Sources/CSpawnerProtocol", "c", "h")
        let lines = files.reduce(0) { $0 + $1.lines.count }
        #expect(
            lines <= Self.spawnerLinesMax,
            "faasd-spawner, what it shares with zygotes and its protocol have \(lines) lines of C"
        )
        print("faasd-spawner: \(lines) lines of C, at most \(Self.spawnerLinesMax)")
    }

    @Test func `no source leaves work behind`() throws {
        for file in try Repository.files(in: "Sources", "swift", "c", "h") {
            for (number, line) in file.lines.enumerated() {
                let words = line.split { !$0.isLetter }
                let left = words.first { ["TODO", "FIXME", "XXX"].contains($0) }
                #expect(left == nil, "\(file.path):\(number + 1): \(line)")
            }
        }
    }

    static func module(of path: String) -> String {
        path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
    }

    /// The modules that a Swift file imports, whatever the access level; comments and what stands in literals do not count.
    static func importedModules(_ text: String) -> Set<String> {
        let code = String(decoding: BlankedSource(text, isC: false).bytes, as: UTF8.self)
        var modules: Set<String> = []
        for line in code.split(separator: "\n") {
            let words = line.split(separator: " ").drop {
                ["public", "package", "internal", "fileprivate", "private"].contains($0) || $0.hasPrefix("@")
            }
            guard words.first == "import" else { continue }
            // `import struct Module.Type` names the module before the point.
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
            guard let name = words.dropFirst().drop(while: { kinds.contains($0) }).first else { continue }
            modules.insert(String(name.prefix { $0 != "." && $0 != ";" }))
        }
        return modules
    }
}
