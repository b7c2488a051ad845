import FoundationEssentials
import Testing

@testable import Catalog

/// A catalog in a directory of its own, which goes with it.
final class CatalogFixture: Sendable {
    let directory: String
    var path: String { directory + "/catalog.db" }

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/catalog-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func open() throws -> Catalog { try Catalog(path: path) }
}

func specification(_ digit: Character = "a", isPublic: Bool = true) -> VersionSpecification {
    var specification = VersionSpecification(
        hash: String(repeating: digit, count: 40),
        storeKey: String(repeating: digit, count: 64)
    )
    specification.isPublic = isPublic
    return specification
}

extension Catalog {
    @discardableResult
    func deploy(
        _ owner: String,
        _ name: String,
        _ specification: VersionSpecification,
        bump: VersionBump = .minor
    ) throws -> AlgorithmVersion {
        let version = try beginVersion(owner: owner, name: name, specification, bump: bump)
        return try finishVersion(id: version.id)
    }

    func number(_ selector: String?, as viewer: Viewer, name: String = "hello") -> String? {
        try? resolve(owner: "anna", name: name, selector: selector, as: viewer).number.description
    }
}

/// The error a closure throws, if it is the catalog's.
func refusal(_ body: () throws -> Void) -> CatalogError? {
    do {
        try body()
        return nil
    } catch {
        return error as? CatalogError
    }
}
