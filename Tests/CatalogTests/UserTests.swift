import Testing

@testable import Catalog

@Suite struct UserTests {
    @Test(arguments: [
        ("a", true), ("A9_", true), (String(repeating: "a", count: 29), true),
        (String(repeating: "a", count: 30), true),
        (String(repeating: "a", count: 31), false), ("", false), ("9a", false), ("_a", false), ("a-b", false),
        ("a b", false), ("ä", false), ("a\u{301}", false), ("a\n", false), ("..", false), ("a/b", false),
    ])
    func `a user name follows the grammar`(name: String, isAccepted: Bool) throws {
        let catalog = try Catalog(path: ":memory:")
        let error = refusal { try catalog.createUser(name) }
        #expect((error == nil) == isAccepted, "\(name): \(String(describing: error))")
        if let error { #expect(error.reason == .invalid && error.field == "name" && error.limit != nil) }
    }

    @Test(arguments: ["anna", "Anna", "ANNA"])
    func `a name is taken in every spelling`(name: String) throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("Anna")
        let error = try #require(refusal { try catalog.createUser(name) })
        #expect(error.reason == .taken)
        #expect(catalog.user(named: name)?.name == "Anna")
    }

    @Test func `users are listed by name and survive a restart`() throws {
        let fixture = try CatalogFixture()
        do {
            let catalog = try fixture.open()
            for name in ["carl", "Anna", "bert"] { try catalog.createUser(name) }
        }
        let catalog = try fixture.open()
        #expect(catalog.users().map(\.name) == ["Anna", "bert", "carl"])
        #expect(refusal { try catalog.createUser("ANNA") }?.reason == .taken)
        #expect(catalog.user(named: "dora") == nil)
    }

    @Test func `a value in an error is clipped`() throws {
        let catalog = try Catalog(path: ":memory:")
        let error = try #require(refusal { try catalog.createUser(String(repeating: "x", count: 10_000)) })
        #expect(error.value.count == CatalogLimits.echoedCharactersMax)
        #expect(error.message.count < 300)
    }

    @Test func `a file that is no database is a storage error that names the file`() throws {
        let fixture = try CatalogFixture()
        let error = try #require(refusal { _ = try Catalog(path: fixture.directory) })
        #expect(error.reason == .storage)
        #expect(error.message.contains(fixture.directory), "\(error)")
    }
}
