import FoundationEssentials
import Testing

@testable import Catalog

@Suite struct KeyTests {
    @Test func `a secret is sim and 25 letters and digits, an id is key_ and 12`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let (key, secret) = try catalog.createKey(user: "ANNA", kind: .management, label: "laptop")
        #expect(secret.wholeMatch(of: /sim[0-9A-Za-z]{25}/) != nil, "\(secret.count)")
        #expect(key.id.wholeMatch(of: /key_[a-z2-7]{12}/) != nil, "\(key.id)")
        #expect(key.mask == "sim…" + secret.suffix(4))
        #expect(key.user == "anna" && key.kind == .management && key.label == "laptop" && !key.isRevoked)
        #expect(catalog.key(forSecret: secret) == key)
    }

    @Test func `only the whole secret opens`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let (key, secret) = try catalog.createKey(user: "anna", kind: .algorithm)
        for wrong in ["", String(secret.dropLast()), secret + "a", secret.lowercased() + "A", key.id, key.mask] {
            #expect(catalog.key(forSecret: wrong) == nil, "\(wrong.count)")
        }
    }

    @Test func `the file holds no secret`() throws {
        let fixture = try CatalogFixture()
        let catalog = try fixture.open()
        try catalog.createUser("anna")
        let (_, secret) = try catalog.createKey(user: "anna", kind: .admin)
        for file in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            let content = Array(try Data(contentsOf: URL(filePath: fixture.directory + "/" + file)))
            #expect(!content.contains(Array(secret.dropFirst(3).utf8)), "\(file)")
        }
    }

    @Test func `a revoked key stays revoked, also after a restart`() throws {
        let fixture = try CatalogFixture()
        let first = try fixture.open()
        try first.createUser("anna")
        let (kept, keptSecret) = try first.createKey(user: "anna", kind: .algorithm)
        let (revoked, revokedSecret) = try first.createKey(user: "anna", kind: .algorithm)
        #expect(try first.revokeKey(id: revoked.id).isRevoked)
        #expect(try first.revokeKey(id: revoked.id).isRevoked)
        for catalog in [first, try fixture.open()] {
            #expect(catalog.key(forSecret: revokedSecret) == nil)
            #expect(catalog.key(forSecret: keptSecret) == kept)
            #expect(catalog.key(id: revoked.id)?.isRevoked == true)
            #expect(try catalog.keys(user: "anna").map(\.id) == [kept.id, revoked.id])
            #expect(try catalog.keys().count == 2)
        }
    }

    @Test func `unknown users and keys are not found`() throws {
        let catalog = try Catalog(path: ":memory:")
        #expect(refusal { _ = try catalog.createKey(user: "anna", kind: .admin) }?.reason == .notFound)
        #expect(refusal { _ = try catalog.keys(user: "anna") }?.reason == .notFound)
        #expect(refusal { try catalog.revokeKey(id: "key_aaaaaaaaaaaa") }?.reason == .notFound)
    }

    @Test(arguments: [
        (String(repeating: "ä", count: 99), true), (String(repeating: "ä", count: 100), true),
        (String(repeating: "ä", count: 101), false), ("", true), ("a\nb", false), ("a\u{1B}[31m", false),
    ])
    func `a label is one line of at most 100 characters`(label: String, isAccepted: Bool) throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let error = refusal { _ = try catalog.createKey(user: "anna", kind: .algorithm, label: label) }
        #expect((error == nil) == isAccepted)
    }

    @Test func `a user has at most 1000 keys, revoked ones not counted`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        var last = ""
        for _ in 0..<CatalogLimits.keysPerUserMax {
            last = try catalog.createKey(user: "anna", kind: .algorithm).key.id
        }
        #expect(refusal { _ = try catalog.createKey(user: "anna", kind: .algorithm) }?.reason == .taken)
        try catalog.revokeKey(id: last)
        #expect(refusal { _ = try catalog.createKey(user: "anna", kind: .algorithm) } == nil)
    }
}
