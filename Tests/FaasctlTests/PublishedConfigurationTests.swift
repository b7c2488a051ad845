import Testing

@testable import faasctl

@Suite struct PublishedConfigurationTests {
    @Test(
        arguments: [
            (#"{"username":"anna","algoname":"Hello","langauge":"python3.x"}"#, "anna/Hello"),
            (#"{"algoname":"hello","username":"anna","language":"python3.x","other":[1]}"#, "anna/hello"),
            (#"{"username":"__USER__","algoname":"__ALGO__"}"#, nil), (#"{"username":"anna"}"#, nil),
            (#"{"username":1,"algoname":"x"}"#, nil), ("[]", nil), ("not JSON", nil), ("", nil),
            (#"{"username":"an na","algoname":"x"}"#, nil),
        ] as [(String, String?)]
    )
    func `a published repository says its own name`(content: String, name: String?) throws {
        let scratch = try Scratch()
        try scratch.write("algorithmia.conf", content)
        do throws(CommandFailure) {
            let found = try PublishedConfiguration(in: scratch.path)
            #expect(found.algorithm.description == name)
        } catch {
            #expect(name == nil && error.status == .usage && error.message.contains("--name"), "\(error)")
        }
    }

    @Test func `a directory that says nothing needs a name`() throws {
        let scratch = try Scratch()
        #expect(throws: CommandFailure.self) { try PublishedConfiguration(in: scratch.path) }
    }
}
