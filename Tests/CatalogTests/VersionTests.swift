import Testing

@testable import Catalog

@Suite struct VersionTests {
    @Test func `the first deploy is 0.1.0 and each later one counts the minor part up`() throws {
        let fixture = try CatalogFixture()
        let catalog = try fixture.open()
        try catalog.createUser("anna")
        #expect(try catalog.deploy("anna", "hello", specification()).number.description == "0.1.0")
        #expect(try catalog.deploy("ANNA", "Hello", specification("b")).number.description == "0.2.0")
        #expect(try fixture.open().deploy("anna", "hello", specification("c")).number.description == "0.3.0")
    }

    @Test(arguments: [
        ("minor", "0.1.0"), ("revision", "0.0.1"), ("major", "1.0.0"), ("minor revision", "0.1.1"),
        ("minor revision revision minor", "0.2.0"), ("minor major revision", "1.0.1"), ("major minor major", "2.0.0"),
    ])
    func `a deploy counts the part it names`(bumps: String, expected: String) throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        var number = ""
        for bump in bumps.split(separator: " ") {
            let part = try #require(VersionBump(rawValue: String(bump)))
            number = try catalog.deploy("anna", "hello", specification(), bump: part).number.description
        }
        #expect(number == expected)
        #expect(catalog.number(expected, as: .anyone) == expected)
    }

    @Test(
        arguments: [
            (true, 500, nil), (false, 500, "public"), (true, 499, "royalty"), (true, 501, "royalty"),
        ] as [(Bool, Int64, String?)]
    )
    func `a revision is as public and as expensive as what it repairs`(isPublic: Bool, royalty: Int64, field: String?)
        throws
    {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        var first = specification()
        first.royaltyMicrocredits = 500
        try catalog.deploy("anna", "hello", first)
        var second = specification("b", isPublic: isPublic)
        second.royaltyMicrocredits = royalty
        let error = refusal { try catalog.deploy("anna", "hello", second, bump: .revision) }
        #expect(error?.field == field)
        #expect(catalog.number("0.1.x", as: .anyone) == (field == nil ? "0.1.1" : "0.1.0"))
        #expect(refusal { try catalog.deploy("anna", "hello", second, bump: .minor) } == nil)
    }

    @Test func `a price cannot be changed by deleting what a revision repairs, or while it is built`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let first = try catalog.beginVersion(owner: "anna", name: "hello", specification())
        var dear = specification("b")
        dear.royaltyMicrocredits = 1_000_000
        #expect(refusal { try catalog.deploy("anna", "hello", dear, bump: .revision) }?.field == "royalty")
        try catalog.finishVersion(id: first.id)
        try catalog.deleteAlgorithm(owner: "anna", name: "hello")
        #expect(refusal { try catalog.deploy("anna", "hello", dear, bump: .revision) }?.field == "bump")
        #expect(try catalog.deploy("anna", "hello", dear).number.description == "0.2.0")
    }

    @Test func `a failed build gives its number back, a concurrent one gets the next`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let failed = try catalog.beginVersion(owner: "anna", name: "hello", specification())
        try catalog.failVersion(id: failed.id)
        let first = try catalog.beginVersion(owner: "anna", name: "hello", specification("b"))
        let second = try catalog.beginVersion(owner: "anna", name: "hello", specification("c"))
        #expect([failed, first, second].map(\.number.description) == ["0.1.0", "0.1.0", "0.2.0"])
    }

    @Test func `a build ends once`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let version = try catalog.beginVersion(owner: "anna", name: "hello", specification())
        #expect(version.state == .building)
        #expect(catalog.number(nil, as: .administrator) == nil)
        #expect(try catalog.finishVersion(id: version.id).state == .ready)
        #expect(catalog.version(id: version.id)?.state == .ready)
        #expect(refusal { try catalog.finishVersion(id: version.id) }?.reason == .state)
        #expect(refusal { try catalog.failVersion(id: version.id) }?.reason == .state)
        #expect(refusal { try catalog.finishVersion(id: 99) }?.reason == .state)
    }

    @Test func `every field survives a restart`() throws {
        let fixture = try CatalogFixture()
        let deployed: AlgorithmVersion
        do {
            let catalog = try fixture.open()
            try catalog.createUser("Anna")
            var wanted = specification("d", isPublic: false)
            wanted.royaltyMicrocredits = CatalogLimits.royaltyMicrocredits.upperBound
            wanted.memoryBytes = CatalogLimits.memoryBytes.upperBound
            wanted.cpus = 16
            wanted.timeoutSeconds = 3_000
            wanted.isolation = .shared
            wanted.start = .template
            wanted.pidsMax = 1
            wanted.tmpBytes = CatalogLimits.tmpBytes.lowerBound
            deployed = try catalog.deploy("anna", "Hello", wanted)
        }
        let catalog = try fixture.open()
        #expect(catalog.version(id: deployed.id) == deployed)
        #expect(deployed.algorithm == "Anna/Hello")
    }

    @Test(arguments: [
        ("a", true), ("9", true), (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), true),
        (String(repeating: "a", count: 65), false), ("", false), ("a-b", false), ("..", false), ("a/b", false),
        ("é", false),
    ])
    func `an algorithm name follows the grammar`(name: String, isAccepted: Bool) throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        let error = refusal { try catalog.deploy("anna", name, specification()) }
        #expect((error == nil) == isAccepted, "\(name)")
    }

    @Test func `deploying for an unknown owner is refused`() throws {
        let catalog = try Catalog(path: ":memory:")
        #expect(refusal { try catalog.deploy("anna", "hello", specification()) }?.reason == .notFound)
    }

    @Test func `algorithms and versions are listed`() throws {
        let catalog = try Catalog(path: ":memory:")
        for name in ["anna", "bert"] { try catalog.createUser(name) }
        try catalog.deploy("bert", "b", specification("1", isPublic: false))
        try catalog.deploy("anna", "z", specification("2"))
        try catalog.deploy("anna", "A", specification("3"))
        try catalog.deploy("anna", "a", specification("4", isPublic: false))
        _ = try catalog.beginVersion(owner: "anna", name: "unfinished", specification("5"))
        #expect(try catalog.algorithms().map { "\($0.owner)/\($0.name)" } == ["anna/A", "anna/z", "bert/b"])
        #expect(try catalog.algorithms(owner: "ANNA").map(\.latest.number.description) == ["0.2.0", "0.1.0"])
        #expect(refusal { _ = try catalog.algorithms(owner: "carl") }?.reason == .notFound)
        let own = try catalog.versions(owner: "anna", name: "a", as: .user("Anna"))
        let others = try catalog.versions(owner: "anna", name: "a", as: .user("bert"))
        #expect(own.map(\.number.description) == ["0.2.0", "0.1.0"])
        #expect(others.map(\.number.description) == ["0.1.0"])
        let hidden = refusal { _ = try catalog.versions(owner: "bert", name: "b", as: .user("anna")) }
        let missing = refusal { _ = try catalog.versions(owner: "bert", name: "c", as: .user("anna")) }
        #expect(hidden?.reason == .notFound && missing?.reason == .notFound)
        #expect(hidden?.message == missing?.message.replacing("/c", with: "/b"))
    }
}
