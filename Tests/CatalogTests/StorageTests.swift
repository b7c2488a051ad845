import SQLite
import Testing

@testable import Catalog

@Suite struct StorageTests {
    @Test func `what the full file did not take is not in memory either`() throws {
        let fixture = try CatalogFixture()
        let catalog = try fixture.open()
        try catalog.createUser("anna")
        let kept = try catalog.createKey(user: "anna", kind: .algorithm)
        let version = try catalog.deploy("anna", "hello", specification())
        try limit(catalog, pages: 1)
        let names = try fill(catalog)
        let refused = names.count
        #expect(catalog.user(named: "filler\(refused)") == nil)
        #expect(catalog.users().count == refused + 1)
        #expect(refusal { try fillVersions(catalog) }?.reason == .storage)
        let before = catalog.versionsToRemove()

        // Room again: the same step succeeds, and the file agrees with memory.
        try limit(catalog, pages: 10_000)
        try catalog.createUser("filler\(refused)")
        let reopened = try fixture.open()
        #expect(reopened.users() == catalog.users())
        #expect(reopened.key(forSecret: kept.secret) == kept.key)
        #expect(reopened.version(id: version.id) == version)
        #expect(before.isEmpty)
    }

    @Test func `a storage error names the step and keeps the statement for the log`() throws {
        let fixture = try CatalogFixture()
        let catalog = try fixture.open()
        try limit(catalog, pages: 1)
        var error: CatalogError?
        for index in 0..<10_000 where error == nil { error = refusal { try catalog.createUser("u\(index)") } }
        let storage = try #require(error)
        #expect(storage.reason == .storage)
        #expect(storage.message == "the catalog could not create a user: database or disk is full")
        #expect(storage.cause?.contains("INSERT INTO users") == true, "\(storage)")
    }

    @Test func `a file of a later program is refused, not changed`() throws {
        let fixture = try CatalogFixture()
        do {
            let connection = try Connection(path: fixture.path)
            try connection.migrate([Migration(number: 1, name: "something else", sql: "CREATE TABLE other(a)")])
        }
        let error = try #require(refusal { _ = try fixture.open() })
        #expect(error.reason == .storage && error.message.contains("something else"), "\(error)")
    }

    /// Users until the file is full; the names that fitted.
    private func fill(_ catalog: Catalog) throws -> [String] {
        var names: [String] = []
        for index in 0..<10_000 {
            let name = "filler\(index)"
            guard refusal({ try catalog.createUser(name) }) == nil else { return names }
            names.append(name)
        }
        return names
    }

    private func fillVersions(_ catalog: Catalog) throws {
        for _ in 0..<10_000 { try catalog.deploy("anna", "hello", specification()) }
    }

    /// A limit below the present size means: no page more than there are.
    private func limit(_ catalog: Catalog, pages: Int) throws {
        let failure = try catalog.store.write { (connection) throws(CatalogError) -> String? in
            do throws(SQLiteError) {
                try connection.pragma("max_page_count = \(pages)")
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(failure == nil)
    }
}
