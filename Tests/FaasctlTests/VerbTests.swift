import Testing

@testable import faasctl

/// What each verb sends, and how it prints the answer.
@Suite(.timeLimit(.minutes(1)))
struct VerbTests {
    @Test(arguments: [
        ("user create anna", "POST /v1/manage/users", #"{"name":"anna"}"#),
        ("user list", "GET /v1/manage/users", ""),
        ("user show anna", "GET /v1/manage/users/anna", ""),
        ("key list", "GET /v1/manage/keys", ""),
        ("key list --user anna", "GET /v1/manage/keys?user=anna", ""),
        ("key revoke key_abcdefghijkl", "DELETE /v1/manage/keys/key_abcdefghijkl", ""),
        ("credit show anna", "GET /v1/manage/accounts/anna/balance", ""),
        ("credit lots anna", "GET /v1/manage/accounts/anna/grants", ""),
        ("credit lots anna --all", "GET /v1/manage/accounts/anna/grants?all=true", ""),
        ("account show anna", "GET /v1/manage/accounts/anna", ""),
        ("account list", "GET /v1/manage/accounts", ""),
        (
            "account list --state frozen --after anna --limit 7",
            "GET /v1/manage/accounts?after=anna&state=frozen&limit=7", ""
        ),
        ("account earnings anna", "GET /v1/manage/accounts/anna/earnings", ""),
        ("account freeze anna", "POST /v1/manage/accounts/anna/freeze", "{}"),
        ("account unfreeze anna --if-rev 7", "POST /v1/manage/accounts/anna/unfreeze", #"{"if_rev":7}"#),
        ("account close anna --reason gone", "POST /v1/manage/accounts/anna/close", #"{"reason":"gone"}"#),
        ("account set-overdraft anna 0", "PUT /v1/manage/accounts/anna/overdraft", #"{"credits":"0"}"#),
        ("hold list", "GET /v1/manage/holds", ""),
        ("hold list --older 10m", "GET /v1/manage/holds?older_seconds=600", ""),
        (
            "credit refund 01a20848-7c4e-7b3f-8000-0123456789ab --reason wrong",
            "POST /v1/manage/usage/01a20848-7c4e-7b3f-8000-0123456789ab/refund", #"{"reason":"wrong"}"#
        ),
        (
            "quota unset account:a concurrent_calls --if-rev 3",
            "DELETE /v1/manage/quotas?scope=account%3Aa&metric=concurrent_calls&if_rev=3", ""
        ),
        ("algo list --owner anna", "GET /v1/manage/algorithms?owner=anna", ""),
        ("algo show anna/hello", "GET /v1/manage/algorithms/anna/hello", ""),
        ("algo lock anna/hello", "GET /v1/manage/algorithms/anna/hello/versions/latest/lock", ""),
        ("algo lock anna/hello/0.1.x", "GET /v1/manage/algorithms/anna/hello/versions/0.1.x/lock", ""),
        ("algo delete anna/hello", "DELETE /v1/manage/algorithms/anna/hello", ""),
        ("quota list", "GET /v1/manage/quotas", ""),
        (
            "quota get account:a+algorithm:b/c cpu_seconds_month",
            "GET /v1/manage/quotas?scope=account%3Aa%2Balgorithm%3Ab%2Fc&metric=cpu_seconds_month", ""
        ),
        (
            "quota unset account:a concurrent_calls",
            "DELETE /v1/manage/quotas?scope=account%3Aa&metric=concurrent_calls", ""
        ),
        (
            "quota explain a --key-id key_abcdefghijkl --algorithm b/c",
            "GET /v1/manage/quotas/explain?account=a&key=key_abcdefghijkl&algorithm=b%2Fc", ""
        ),
        ("usage list --account a --limit 5", "GET /v1/manage/usage?account=a&limit=5", ""),
        ("usage show x/../y", "GET /v1/manage/usage/x%2F..%2Fy", ""),
        ("audit run", "POST /v1/manage/audit", ""),
        ("algo call a/b/1.2.x --data hi --timeout 9 --account c", "POST /v1/algo/a/b/1.2.x?timeout=9", "hi"),
        ("algo call a/b --json-data [1] --raw", "POST /v1/algo/a/b?output=raw", "[1]"),
    ])
    func `a verb is one request`(line: String, request: String, body: String) async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json("{}") }
        _ = try await Program.run(line.split(separator: " ").map(String.init) + ["--socket", standIn.socketPath])
        let sent = standIn.requests
        #expect(sent.map(\.line) == [request] && sent.first?.body == body, "\(sent)")
    }

    @Test func `objects carry every field`() async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json("{}") }
        let lines = [
            "key create --user anna --kind admin --label x", "credit top-up anna 12.50 --ref r/1",
            "quota set account:a requests_per_second 7", "credit adjust anna -12.5 --reason r --ref a/1",
            "credit grant anna 5 --priority 0 --expires 2027-01-31 --ref g/1",
            "quota set author:a unpaid_cpu_seconds_day 7 --if-rev 0",
        ]
        for line in lines {
            _ = try await Program.run(line.split(separator: " ").map(String.init) + ["--socket", standIn.socketPath])
        }
        let sent = standIn.requests
        #expect(
            sent.map(\.line) == [
                "POST /v1/manage/keys", "POST /v1/manage/accounts/anna/top-ups", "PUT /v1/manage/quotas",
                "POST /v1/manage/accounts/anna/adjustments", "POST /v1/manage/accounts/anna/grants",
                "PUT /v1/manage/quotas",
            ]
        )
        for part in [#""user":"anna""#, #""kind":"admin""#, #""label":"x""#] { #expect(sent[0].body.contains(part)) }
        for part in [#""credits":"12.50""#, "\"ref\":\"r"] { #expect(sent[1].body.contains(part)) }
        for part in [#""scope":"account:a""#, #""metric":"requests_per_second""#, #""limit":7"#] {
            #expect(sent[2].body.contains(part), "\(sent[2].body)")
        }
        #expect(!sent[2].body.contains("if_rev"))
        for part in [#""credits":"-12.5""#, #""reason":"r""#, "\"ref\":\"a"] { #expect(sent[3].body.contains(part)) }
        for part in [#""credits":"5""#, #""priority":0"#, #""expires":"2027-01-31T00:00:00Z""#, "\"ref\":\"g"] {
            #expect(sent[4].body.contains(part), "\(sent[4].body)")
        }
        for part in [#""scope":"author:a""#, #""limit":7"#, #""if_rev":0"#] { #expect(sent[5].body.contains(part)) }
    }

    @Test(
        arguments: [
            ("credit adjust anna -5 --reason r --ref x", "credit adjust anna --reason r --ref x -- -5"),
            ("--json credit adjust anna --json -.5 --ref x", "--json credit adjust anna --json --ref x -- -.5"),
            ("credit adjust anna 5 --ref x", nil), ("credit adjust anna -- -5", nil),
            ("credit adjust anna --reason -5 --ref x", nil), ("credit top-up anna -5 --ref x", nil), ("adjust", nil),
        ] as [(String, String?)]
    )
    func `an amount below zero is no option`(line: String, expected: String?) {
        let given = line.split(separator: " ").map(String.init)
        #expect(Launcher.withNegativeAmountLast(given).joined(separator: " ") == expected ?? line)
    }

    @Test func `the key goes in the header, the account too`() async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json("{}") }
        let options = ["--key", "sim123", "--socket", standIn.socketPath]
        _ = try await Program.run(["algo", "call", "a/b", "--data", "x", "--account", "c"] + options)
        let headers = try #require(standIn.requests.first).headers
        #expect(
            headers.contains("authorization: simple sim123") && headers.contains("x-faasd-account: c"),
            "\(headers)"
        )
        #expect(headers.contains("content-type: text/plain"))
    }

    @Test func `options may stand before the verb`() async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { _ in StandIn.json(#"{"results":[]}"#) }
        let result = try await Program.run(["--json", "--socket", standIn.socketPath, "user", "list"])
        #expect(result.status == 0 && result.output == "{\"results\":[]}\n", "\(result)")
        let fromEnvironment = try await Program.run(
            ["user", "list"],
            environment: ["FAASD_SOCKET": standIn.socketPath]
        )
        #expect(fromEnvironment.status == 0 && fromEnvironment.output.hasPrefix("no users yet"))
    }

    @Test func `balances and keys are printed for people`() async throws {
        let scratch = try Scratch()
        let standIn = try StandIn(scratch.path + "/s") { line in
            line.hasPrefix("GET")
                ? StandIn.json(#"{"available_microcredits":12500000,"held_microcredits":0,"spent_microcredits":1}"#)
                : StandIn.json(#"{"id":"key_a","key":"simX","kind":"admin"}"#, status: "201 Created")
        }
        let balance = try await Program.run(["credit", "show", "anna", "--socket", standIn.socketPath])
        #expect(balance.output == "available  12.5 credits\nheld       0 credits\nspent      0.000001 credits\n")
        let create = ["key", "create", "--user", "anna", "--kind", "admin", "--socket", standIn.socketPath]
        #expect(try await Program.run(create).output.contains("key   simX\n"))
        #expect(
            try await Program.run(create + ["--json"]).output
                == "{\"id\":\"key_a\",\"key\":\"simX\",\"kind\":\"admin\"}\n"
        )
    }
}
