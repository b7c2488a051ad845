import Foundation
import Testing

/// Documents that point at files must point at files that exist.
@Suite struct DocumentTests {
    @Test func `every link between documents leads somewhere`() throws {
        var count = 0
        for file in try Repository.files(in: "", "md") {
            let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
            for target in Self.links(file.text) {
                count += 1
                let path = folder.isEmpty || target.hasPrefix("/") ? target : folder + "/" + target
                #expect(Repository.exists(path), "\(file.path) links to \(target)")
            }
        }
        #expect(count > 10, "only \(count) links were found")
    }

    @Test func `every file named in ARCHITECTURE exists`() throws {
        let text = try #require(try Repository.files(in: "", "md").first { $0.path == "ARCHITECTURE.md" }).text
        let names = Self.fileNames(text)
        #expect(names.count > 30, "only \(names.count) names were found")
        for name in names {
            let exists = Repository.paths.contains { $0 == name || $0.hasSuffix("/" + name) }
            #expect(exists, "ARCHITECTURE.md names \(name)")
        }
    }

    @Test func `every decision is in the index of decisions`() throws {
        let index = try #require(
            try Repository.files(in: "docs/decisions", "md").first { $0.path.hasSuffix("README.md") }
        )
        let links = Set(Self.links(index.text))
        for file in try Repository.files(in: "docs/decisions", "md") where file.path != index.path {
            let name = file.path.split(separator: "/").last.map(String.init) ?? ""
            #expect(links.contains(name), "docs/decisions/README.md does not link to \(name)")
            #expect(file.lines.count <= 40, "\(file.path) has \(file.lines.count) lines, at most 40")
        }
    }

    /// Targets of `[text](target)` that are files: no addresses, no places in the same document.
    static func links(_ text: String) -> [String] {
        var isCode = false
        var targets: [String] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("```") { isCode.toggle() }
            if isCode { continue }
            for part in line.components(separatedBy: "](").dropFirst() {
                let target = String(part.prefix { $0 != ")" && $0 != "#" && $0 != " " })
                if !target.isEmpty, !target.contains(":") { targets.append(target) }
            }
        }
        return targets
    }

    /// What stands in backticks and ends like a source file.
    static func fileNames(_ text: String) -> Set<String> {
        let endings = [".swift", ".c", ".h", ".py", ".md", ".sh"]
        let spans = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        return Set(
            spans.filter { $0.offset % 2 == 1 }.flatMap { $0.element.split(separator: " ") }
                .filter { word in endings.contains { word.hasSuffix($0) && word.count > $0.count } }
                .map(String.init)
        )
    }
}
