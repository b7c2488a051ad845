import SQLite
import Testing

@testable import Catalog

@Suite struct StartModeTests {
    /// A file of schema 1 with one version that can be called.
    private static let formerRows = """
        INSERT INTO users(id, name, name_folded, created_us) VALUES (1, 'anna', 'anna', 1);
        INSERT INTO algorithms(id, owner, name, name_folded, created_us) VALUES (1, 1, 'hello', 'hello', 2);
        INSERT INTO versions(id, algorithm, major, minor, revision, hash, store_key, runtime, public,
          royalty_microcredits, memory_bytes, cpus, timeout_seconds, isolation, pids_max, tmp_bytes, created_us, state)
          VALUES (1, 1, 0, 1, 0, '\(String(repeating: "a", count: 40))', '\(String(repeating: "a", count: 64))', 'python3',
          1, 0, 536870912, 1, 300, 'call', 64, 536870912, 3, 'ready');
        """

    @Test(arguments: StartMode.allCases)
    func `every start survives a restart`(start: StartMode) throws {
        let fixture = try CatalogFixture()
        var wanted = specification()
        wanted.start = start
        let deployed: AlgorithmVersion
        do {
            let catalog = try fixture.open()
            try catalog.createUser("anna")
            deployed = try catalog.deploy("anna", "hello", wanted)
        }
        #expect(deployed.start == start)
        #expect(try fixture.open().version(id: deployed.id) == deployed)
    }

    @Test func `a start that does not go with the isolation is not deployed`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        var wanted = specification()
        wanted.isolation = .call
        wanted.start = .template
        #expect(refusal { try catalog.deploy("anna", "hello", wanted) }?.field == "start")
        #expect(catalog.number(nil, as: .administrator) == nil)
    }

    @Test func `a revision may start its workers in another way`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        try catalog.deploy("anna", "hello", specification())
        var repaired = specification("b")
        repaired.start = .exec
        #expect(try catalog.deploy("anna", "hello", repaired, bump: .revision).start == .exec)
    }

    @Test func `versions of a file of schema 1 are forked`() throws {
        let fixture = try CatalogFixture()
        do {
            let connection = try Connection(path: fixture.path)
            try connection.migrate(Array(CatalogSchema.migrations.prefix(1)))
            try connection.execute(Self.formerRows)
        }
        for _ in 1...2 {
            let version = try #require(try fixture.open().version(id: 1))
            #expect(version.start == .fork && version.isolation == .call && version.number.description == "0.1.0")
        }
        var wanted = specification("b")
        wanted.start = .template
        let next = try fixture.open().deploy("anna", "hello", wanted)
        #expect(try fixture.open().version(id: next.id) == next)
    }

    @Test func `the file takes no other start`() throws {
        let fixture = try CatalogFixture()
        let catalog = try fixture.open()
        try catalog.createUser("anna")
        try catalog.deploy("anna", "hello", specification())
        let connection = try Connection(path: fixture.path)
        let error = #expect(throws: SQLiteError.self) { try connection.run("UPDATE versions SET start = 'spawn'") }
        #expect(error?.message.contains("CHECK") == true, "\(String(describing: error))")
    }
}
