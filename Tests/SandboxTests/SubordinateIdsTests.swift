import Testing

@testable import Sandbox

@Suite struct SubordinateIdsTests {
    private func ids(_ subuid: String, _ subgid: String) throws -> SubordinateIds {
        try SubordinateIds(name: "anna", uid: 1_234, subuid: subuid, subgid: subgid, launcher: "/l")
    }

    @Test func `a range is found by name and by number`() throws {
        let found = try ids("bert:100000:65536\nanna:165536:65536\n", "1234:200000:8192\n")
        #expect(found.firstUid == 165_536 && found.firstGid == 200_000)
        #expect(found.launcherWords == ["/l", "165536", "200000", "8192"])
    }

    @Test(arguments: [(8_191, false), (8_192, true), (8_193, true)])
    func `eight ids for each box that may live`(count: Int, suffices: Bool) {
        let found = try? ids("anna:100000:\(count)\n", "anna:100000:65536\n")
        #expect((found != nil) == suffices)
    }

    @Test func `the first range that is large enough counts`() throws {
        #expect(try ids("anna:1:10\nanna:300000:8192\n", "anna:5000:8192\n").firstUid == 300_000)
    }

    @Test(arguments: [
        ("", "no range"), ("bert:1:65536\n", "no range"), ("anna:1:100\n", "a range of 100"),
        ("anna:0:65536\n", "no range"), ("anna:4294960000:8192\n", "a range of 8192"), ("anna:x:65536\n", "no range"),
        ("anna:100000\n", "no range"),
    ])
    func `what is missing is said with the remedy`(subuid: String, words: String) {
        let error = #expect(throws: SandboxError.self) { try ids(subuid, "anna:100000:65536\n") }
        #expect(error?.detail.contains(words) == true, "\(String(describing: error))")
        #expect(error?.detail.contains("usermod --add-subuids") == true)
    }
}
