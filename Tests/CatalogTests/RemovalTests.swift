import Testing

@testable import Catalog

@Suite struct RemovalTests {
    @Test func `a deleted algorithm is gone, and comes back with the next number`() throws {
        let fixture = try CatalogFixture()
        let first = try fixture.open()
        try first.createUser("anna")
        let version = try first.deploy("anna", "hello", specification())
        try first.deleteAlgorithm(owner: "Anna", name: "Hello")
        for catalog in [first, try fixture.open()] {
            #expect(catalog.number(nil, as: .administrator) == nil)
            #expect(catalog.version(id: version.id) == nil)
            #expect(try catalog.algorithms().isEmpty)
            #expect(refusal { try catalog.deleteAlgorithm(owner: "anna", name: "hello") }?.reason == .notFound)
        }
        let again = try fixture.open()
        #expect(try again.deploy("anna", "hello", specification("b")).number.description == "0.2.0")
        #expect(try fixture.open().resolve(owner: "anna", name: "hello", as: .anyone).number.description == "0.2.0")
    }

    @Test func `failed, deleted and unfinished builds are to be removed until they are`() throws {
        let fixture = try CatalogFixture()
        var expected: [Int64] = []
        do {
            let catalog = try fixture.open()
            try catalog.createUser("anna")
            let failed = try catalog.beginVersion(owner: "anna", name: "hello", specification("1"))
            try catalog.failVersion(id: failed.id)
            let deleted = try catalog.deploy("anna", "gone", specification("2"))
            try catalog.deleteAlgorithm(owner: "anna", name: "gone")
            try catalog.deploy("anna", "hello", specification("3"))
            #expect(catalog.versionsToRemove().map(\.id) == [failed.id, deleted.id])
            let unfinished = try catalog.beginVersion(owner: "anna", name: "hello", specification("4"))
            #expect(catalog.versionsToRemove().map(\.id) == [failed.id, deleted.id])
            expected = [failed.id, deleted.id, unfinished.id]
        }
        let catalog = try fixture.open()
        #expect(catalog.versionsToRemove().map(\.id) == expected)
        #expect(catalog.versionsToRemove().map(\.storeKey.first) == ["1", "2", "4"])
        try catalog.didRemoveFiles(of: expected + [99])
        #expect(catalog.versionsToRemove().isEmpty)
        #expect(try fixture.open().versionsToRemove().isEmpty)
    }

    @Test func `files that a living version uses are not to be removed`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        try catalog.deploy("anna", "one", specification("1"))
        let two = try catalog.deploy("anna", "two", specification("1"))
        try catalog.deleteAlgorithm(owner: "anna", name: "two")
        #expect(catalog.versionsToRemove().isEmpty)
        try catalog.deleteAlgorithm(owner: "anna", name: "one")
        #expect(catalog.versionsToRemove().count == 2)
        let building = try catalog.beginVersion(owner: "anna", name: "three", specification("1"))
        #expect(catalog.versionsToRemove().isEmpty)
        try catalog.failVersion(id: building.id)
        #expect(catalog.versionsToRemove().map(\.id) == [two.id - 1, two.id, building.id])
    }

    @Test func `a build whose algorithm is deleted cannot finish`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let version = try catalog.beginVersion(owner: "anna", name: "hello", specification())
        try catalog.deleteAlgorithm(owner: "anna", name: "hello")
        #expect(refusal { try catalog.finishVersion(id: version.id) }?.reason == .state)
        #expect(catalog.versionsToRemove().map(\.id) == [version.id])
        #expect(try catalog.deploy("anna", "hello", specification("b")).number.description == "0.2.0")
    }
}
