import ArgumentParser
import FaasClient
import Testing

@testable import faasctl

@Suite struct ConnectionTests {
    private func target(_ arguments: [String], _ environment: [String: String] = [:]) throws -> ConnectionOptions.Target
    {
        try ConnectionOptions.parse(arguments).target(environment: environment)
    }

    private func endpoint(_ arguments: [String], _ environment: [String: String]) throws -> String {
        let target = try target(arguments, environment)
        return "\(target.endpoint) \(target.key ?? "-")"
    }

    @Test func `an option beats a variable, a socket's variable a server's`() throws {
        let all = ["FAASD_SOCKET": "/s", "FAASD_SERVER": "http://e", "FAASD_KEY": "k"]
        #expect(try endpoint([], all) == "/s -")
        #expect(try endpoint(["--socket", "/o"], all) == "/o -")
        #expect(try endpoint(["--socket", "/o", "--key", "own"], all) == "/o own")
        #expect(try endpoint(["--server", "https://o/p/"], all) == "https://o/p k")
        #expect(try endpoint(["--server", "http://o:1", "--key", "own"], all) == "http://o:1 own")
        #expect(try endpoint([], ["FAASD_SOCKET": "", "FAASD_SERVER": "http://e", "FAASD_KEY": "k"]) == "http://e k")
    }

    @Test func `without a daemon or a key the remedy is named`() throws {
        let nothing = #expect(throws: CommandFailure.self) { try target([]) }
        #expect(nothing?.status == .usage && nothing?.message.contains("FAASD_SOCKET") == true)
        let noKey = #expect(throws: CommandFailure.self) { try target(["--server", "http://o"]) }
        #expect(noKey?.status == .usage && noKey?.message.contains("FAASD_KEY") == true)
    }

    @Test func `both a socket and a server are refused`() {
        #expect(throws: (any Error).self) { try ConnectionOptions.parse(["--socket", "/s", "--server", "http://h"]) }
    }

    @Test(arguments: ["ftp://h", "h:80", "http://", "", "http://h?x=1", "http://h#f", "http://user@h", "http:// h"])
    func `a malformed address is refused`(address: String) {
        #expect(throws: ClientError.self) { try Endpoint(serverAddress: address) }
    }

    @Test(arguments: [(0, false), (1, true), (106, true), (107, true), (108, false)])
    func `a socket's path has 1 to 107 bytes`(count: Int, isAccepted: Bool) {
        #expect(((try? Endpoint(socketPath: String(repeating: "s", count: count))) != nil) == isAccepted)
    }

    @Test(arguments: [(0, false), (1, true), (256, true), (257, false)])
    func `a key has 1 to 256 characters`(count: Int, isAccepted: Bool) async throws {
        let endpoint = try Endpoint(socketPath: "/s")
        let client = try? FaasClient(endpoint: endpoint, key: String(repeating: "k", count: count))
        #expect((client != nil) == isAccepted)
        await client?.close()
    }

    @Test(arguments: ["a b", "a\r\nx-admin: 1", "ä"])
    func `a key that no header can carry is refused and not repeated`(key: String) throws {
        let endpoint = try Endpoint(socketPath: "/s")
        let error = #expect(throws: ClientError.self) { try FaasClient(endpoint: endpoint, key: key) }
        #expect(error.map { !$0.description.contains(key) } == true)
    }
}
