import Testing

@testable import Catalog

@Suite struct ResolveTests {
    /// anna/hello: 0.1.0 public, 0.2.0 private, 0.3.0 public, 0.4.0 private; anna/secret: 0.1.0 and 0.2.0 private.
    private func filled() throws -> Catalog {
        let catalog = try Catalog(path: ":memory:")
        for name in ["anna", "bert"] { try catalog.createUser(name) }
        for (digit, isPublic) in [("1", true), ("2", false), ("3", true), ("4", false)] as [(Character, Bool)] {
            try catalog.deploy("anna", "hello", specification(digit, isPublic: isPublic))
        }
        for digit in ["5", "6"] as [Character] {
            try catalog.deploy("anna", "secret", specification(digit, isPublic: false))
        }
        return catalog
    }

    @Test(
        arguments: [
            (nil, "0.3.0", "0.3.0"), ("", "0.3.0", "0.3.0"), ("latest", "0.3.0", "0.3.0"),
            ("latestPrivate", "0.4.0", nil),
            ("0", "0.3.0", "0.3.0"), ("0.x", "0.3.0", "0.3.0"), ("0.*", "0.3.0", "0.3.0"), ("1", nil, nil),
            ("0.1", "0.1.0", "0.1.0"), ("0.1.x", "0.1.0", "0.1.0"), ("0.1.*", "0.1.0", "0.1.0"),
            ("0.2", nil, nil), ("0.2.x", nil, nil), ("0.9", nil, nil),
            ("0.1.0", "0.1.0", "0.1.0"), ("0.2.0", "0.2.0", nil), ("0.4.0", "0.4.0", nil), ("0.5.0", nil, nil),
            (String(repeating: "1", count: 40), "0.1.0", "0.1.0"), (String(repeating: "2", count: 40), "0.2.0", nil),
            (String(repeating: "5", count: 40), nil, nil), (String(repeating: "1", count: 39), nil, nil),
            ("x", nil, nil), ("0.1.0.x", nil, nil), ("0.1.0.0", nil, nil), ("00.1", nil, nil), ("-1", nil, nil),
            ("+1", nil, nil), ("0..1", nil, nil), ("0.x.1", nil, nil), ("9999999999", nil, nil), ("1.2.", nil, nil),
            ("LATEST", nil, nil), ("١", nil, nil),
        ] as [(String?, String?, String?)]
    )
    func `a selector means`(selector: String?, owner: String?, stranger: String?) throws {
        let catalog = try filled()
        #expect(catalog.number(selector, as: .user("ANNA")) == owner, "owner")
        #expect(catalog.number(selector, as: .administrator) == owner, "administrator")
        #expect(catalog.number(selector, as: .user("bert")) == stranger, "stranger")
        #expect(catalog.number(selector, as: .anyone) == stranger, "anyone")
    }

    @Test func `the owner of a private algorithm gets the newest without naming a version`() throws {
        let catalog = try filled()
        #expect(catalog.number(nil, as: .user("anna"), name: "secret") == "0.2.0")
        #expect(catalog.number(nil, as: .administrator, name: "secret") == "0.2.0")
        #expect(catalog.number(nil, as: .user("bert"), name: "secret") == nil)
        #expect(catalog.number(nil, as: .user("Anna"), name: "SECRET") == "0.2.0")
    }

    @Test func `a refusal does not tell private from missing`() throws {
        let catalog = try filled()
        for selector in [nil, "0.1.0", "latestPrivate", "nonsense", String(repeating: "5", count: 40)] {
            let hidden = refusal {
                _ = try catalog.resolve(owner: "anna", name: "secret", selector: selector, as: .user("bert"))
            }
            let missing = refusal {
                _ = try catalog.resolve(owner: "anna", name: "absent", selector: selector, as: .user("bert"))
            }
            let expected = "algorithm algo://anna/secret\(selector.map { "/\($0)" } ?? "") not found"
            #expect(hidden?.message == expected)
            #expect(
                hidden?.reason == missing?.reason && hidden?.field == missing?.field && hidden?.limit == missing?.limit
            )
            #expect(missing?.message == expected.replacing("secret", with: "absent"))
        }
    }

    @Test func `the same source public and private stays callable by its hash`() throws {
        let catalog = try Catalog(path: ":memory:")
        try catalog.createUser("anna")
        try catalog.deploy("anna", "hello", specification("1"))
        try catalog.deploy("anna", "hello", specification("1", isPublic: false))
        let hash = String(repeating: "1", count: 40)
        #expect(catalog.number(hash, as: .anyone) == "0.1.0")
        #expect(catalog.number(hash, as: .user("anna")) == "0.2.0")
        #expect(catalog.number(String(repeating: "A", count: 40), as: .anyone) == nil)
    }
}
