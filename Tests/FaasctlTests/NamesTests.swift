import Testing

@testable import faasctl

@Suite struct NamesTests {
    @Test(arguments: [
        ("a", true), (String(repeating: "a", count: 30), true), (String(repeating: "a", count: 31), false), ("", false),
        ("9a", false), ("a-b", false), ("a\n", false), ("é", false),
    ])
    func `a user's name`(text: String, isAccepted: Bool) {
        #expect((try? Names.user(text)) == (isAccepted ? text : nil))
    }

    @Test(arguments: [
        ("key_abcdefghijkl", true), ("key_", false), ("sim0123456789012345678901234", false), ("key_a/b", false),
    ])
    func `a key's id`(text: String, isAccepted: Bool) {
        #expect((try? Names.keyID(text)) == (isAccepted ? text : nil))
    }

    @Test(arguments: [(0, false), (1, true), (199, true), (200, true), (201, false)])
    func `a reference has 1 to 200 characters`(count: Int, isAccepted: Bool) {
        #expect(((try? Names.reference(String(repeating: "r", count: count))) != nil) == isAccepted)
    }

    @Test(arguments: [
        ("anna/hello", true), ("anna/9", true), ("a/" + String(repeating: "n", count: 64), true),
        ("a/" + String(repeating: "n", count: 65), false), ("anna", false), ("anna/", false), ("/hello", false),
        ("anna/hello/", false), ("anna/he-llo", false), ("anna/../x", false), ("9/hello", false),
    ])
    func `an algorithm's name`(text: String, isAccepted: Bool) {
        #expect((try? AlgorithmName(parsing: text))?.description == (isAccepted ? text : nil))
    }

    @Test(arguments: [
        ("anna/hello", nil as String?), ("anna/hello/1.2.3", "1.2.3"), ("anna/hello/1.2", "1.2"), ("anna/hello/1", "1"),
        ("anna/hello/1.2.x", "1.2.x"), ("anna/hello/1.*", "1.*"), ("anna/hello/latest", "latest"),
        ("anna/hello/latestPrivate", "latestPrivate"), ("algo://anna/hello/0.1.0", "0.1.0"),
        ("anna/hello/" + String(repeating: "a", count: 40), String(repeating: "a", count: 40)),
    ])
    func `a reference to a version`(text: String, version: String?) throws {
        let reference = try AlgorithmReference(parsing: text)
        #expect(reference.algorithm.description == "anna/hello")
        #expect(reference.version == version)
    }

    @Test(arguments: ["anna/hello/", "anna/hello/v1", "anna/hello/1/2", "anna/hello/1..2", "anna", "anna/hello/abc"])
    func `a malformed reference is refused`(text: String) {
        #expect(throws: ArgumentRule.self) { try AlgorithmReference(parsing: text) }
    }

    @Test(
        arguments: [
            ("1", 1_000_000), ("12.5", 12_500_000), ("0.000001", 1), ("0.00001", 10),
            ("9223372036854.775807", Int64.max),
            ("9223372036854.775808", nil), ("0", nil), ("0.000000", nil), ("1.1234567", nil), ("-1", nil), ("+1", nil),
            ("1.", nil), (".5", nil), ("1e3", nil), ("1,5", nil), ("", nil), ("99999999999999", nil),
        ] as [(String, Int64?)]
    )
    func `an amount of credits`(text: String, microcredits: Int64?) {
        #expect((try? Credits(parsing: text))?.microcredits == microcredits)
    }

    @Test(arguments: [
        "account:anna", "key:key_abcdefghijkl", "algorithm:anna/hello", "account:bert+algorithm:anna/hello",
        "author:anna",
    ])
    func `a scope is kept as it is`(text: String) throws {
        #expect(try QuotaScope(parsing: text).text == text)
    }

    @Test(arguments: [
        "", "anna", "account:", "account:9", "user:anna", "key:sim", "algorithm:hello",
        "algorithm:anna/hello+account:bert",
        "account:bert+key:key_abcdefghijkl", "author:", "author:9", "author:anna+algorithm:anna/hello",
        "account:a+algorithm:b/c+algorithm:d/e", "+", "account:a+",
    ])
    func `a malformed scope is refused`(text: String) {
        #expect(throws: ArgumentRule.self) { try QuotaScope(parsing: text) }
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("9007199254740990", (1 << 53) - 2), ("9007199254740991", (1 << 53) - 1),
            ("9007199254740992", nil), ("-1", nil), ("1.5", nil), ("", nil),
        ] as [(String, Int64?)]
    )
    func `a quota's limit is 0 … 2^53 − 1`(text: String, value: Int64?) {
        #expect((try? QuotaLimit(parsing: text))?.value == value)
    }
}
