import Foundation

/// The project's own files, as the tests of tidiness read them.
enum Repository {
    /// One file: its path relative to the root, and its text.
    struct File: Sendable {
        let path: String
        let text: String

        var lines: [Substring] {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.last == "" { lines.removeLast() }
            return lines
        }
    }

    /// `FAASD_ROOT`, else the folder three above this file.
    static let root: String = {
        if let named = ProcessInfo.processInfo.environment["FAASD_ROOT"], !named.isEmpty { return named }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }()

    /// Paths of all files, relative to the root and sorted; what is built or hidden is left out.
    static let paths: [String] = {
        var paths: [String] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/" + folder)) ?? []
            for name in names where !name.hasPrefix(".") && name != "__pycache__" {
                let path = folder.isEmpty ? name : folder + "/" + name
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder)
                if isFolder.boolValue { folders.append(path) } else { paths.append(path) }
            }
        }
        return paths.sorted()
    }()

    /// The files beneath a folder (`""` for all) whose names end in one of `extensions`.
    static func files(in folder: String, _ extensions: String...) throws -> [File] {
        try paths.filter { path in
            (folder.isEmpty || path.hasPrefix(folder + "/")) && extensions.contains { path.hasSuffix("." + $0) }
        }
        .map { File(path: $0, text: try String(contentsOfFile: root + "/" + $0, encoding: .utf8)) }
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }
}

extension [Int] {
    /// The middle value, 0 when there is none.
    var median: Int { isEmpty ? 0 : sorted()[count / 2] }
}
