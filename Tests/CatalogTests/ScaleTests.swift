import Testing

@testable import Catalog

@Suite struct ScaleTests {
    static let algorithmCount = 10_000

    @Test(.timeLimit(.minutes(2)))
    func `ten thousand algorithms do not slow a lookup`() throws {
        let small = try fastestLookups(in: catalog(algorithms: 10), of: 10)
        let large = try fastestLookups(in: catalog(algorithms: Self.algorithmCount), of: Self.algorithmCount)
        // A scan would take a thousand times longer; caches and other tests account for a small factor.
        #expect(large < small * 50, "10: \(small), \(Self.algorithmCount): \(large)")
    }

    @Test func `writers and readers of several threads agree`() async throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<8 {
                group.addTask {
                    for _ in 0..<20 {
                        try catalog.deploy("anna", "hello", specification())
                        _ = try catalog.resolve(owner: "anna", name: "hello", as: .anyone)
                    }
                    try catalog.createUser("user\(index)")
                }
            }
            try await group.waitForAll()
        }
        let versions = try catalog.versions(owner: "anna", name: "hello", as: .anyone)
        #expect(versions.map(\.number.minor) == Array((1...160).reversed()))
        #expect(catalog.users().count == 9)
    }

    private func catalog(algorithms count: Int) throws -> Catalog {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        for index in 0..<count { try catalog.deploy("anna", "algorithm\(index)", specification()) }
        return catalog
    }

    /// The fastest of ten rounds: the others say more about the machine than about the catalog.
    private func fastestLookups(in catalog: Catalog, of count: Int) throws -> Duration {
        var fastest = Duration.seconds(60)
        for _ in 0..<10 {
            let time = try ContinuousClock().measure {
                for index in 0..<500 {
                    let name = "ALGORITHM\(index * 19 % count)"
                    _ = try catalog.resolve(owner: "Anna", name: name, as: .anyone)
                }
            }
            fastest = min(fastest, time)
        }
        return fastest
    }
}
