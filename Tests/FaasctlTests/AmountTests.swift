import Testing

@testable import faasctl

/// Amounts, moments and ages as they are written on a command line.
@Suite struct AmountTests {
    @Test(arguments: [
        ("0", true), ("0.000000", true), ("0.000001", true), ("12.5", true), ("9007199254.740991", true), ("-1", false),
        ("-0", false), ("+1", false), ("1e3", false), ("1.", false), ("0.0000000", false), ("", false), ("null", false),
    ])
    func `an overdraft line is 0 or more`(text: String, isAccepted: Bool) {
        #expect((try? CreditLine(parsing: text))?.text == (isAccepted ? text : nil))
    }

    @Test(arguments: [
        ("1", true), ("+1", true), ("-1", true), ("-0.000001", true), ("-9007199254.740991", true), ("0", false),
        ("-0", false), ("+0.0", false), ("--1", false), ("+-1", false), ("-", false), ("", false), ("-1e3", false),
        ("-1.0000001", false), ("−1", false),
    ])
    func `a correction is not 0`(text: String, isAccepted: Bool) {
        #expect((try? SignedCredits(parsing: text))?.text == (isAccepted ? text : nil))
    }

    @Test(
        arguments: [
            ("2027-01-31", "2027-01-31T00:00:00Z"), ("1d", "2026-11-25T00:00:00Z"), ("30d", "2026-12-24T00:00:00Z"),
            ("3660d", "2036-12-01T00:00:00Z"), ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
            ("2027-01-31T12:00:00.25+01:00", "2027-01-31T12:00:00.25+01:00"), ("0d", nil), ("3661d", nil), ("-1d", nil),
            ("1.5d", nil), ("30", nil), ("30h", nil), ("tomorrow", nil), ("", nil), ("2027-1-31", nil),
            ("2027-01-31T12:00:00", nil), ("31.1.2027", nil),
        ] as [(String, String?)]
    )
    func `the end of a grant`(text: String, moment: String?) {
        // 2026-11-23, at the first second of the day and at its last.
        for now in [1_795_392_000.0, 1_795_478_399.9] {
            #expect((try? Expiry(parsing: text, now: now))?.text == moment)
        }
    }

    @Test(
        arguments: [
            ("0s", 0), ("90s", 90), ("10m", 600), ("2h", 7_200), ("1d", 86_400), ("365d", 31_536_000), ("366d", nil),
            ("31536001s", nil), ("10", nil), ("m", nil), ("-1m", nil), ("1.5h", nil), ("1w", nil), ("", nil),
            ("99999999d", nil),
        ] as [(String, Int64?)]
    )
    func `an age has a unit`(text: String, seconds: Int64?) {
        #expect((try? Age(parsing: text))?.seconds == seconds)
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("9007199254740991", (1 << 53) - 1), ("9007199254740992", nil), ("-1", nil),
            ("1.0", nil),
            ("", nil), ("1e3", nil), ("x", nil),
        ] as [(String, Int64?)]
    )
    func `a revision`(text: String, value: Int64?) {
        #expect((try? Names.revision(text)) == value)
    }

    @Test(arguments: [("0", 0), ("99", 99), ("100", nil), ("-1", nil), ("1.5", nil), ("", nil)] as [(String, Int?)])
    func `a priority is 0 to 99`(text: String, value: Int?) {
        #expect((try? Names.priority(text)) == value)
    }

    @Test(arguments: [(0, false), (1, true), (1_024, true), (1_025, false)])
    func `a reason has 1 to 1024 bytes`(count: Int, isAccepted: Bool) {
        #expect(((try? Names.reason(String(repeating: "r", count: count))) != nil) == isAccepted)
    }

    @Test(arguments: ["a\nb", "a\u{1B}[31m"])
    func `a reason is one line`(text: String) {
        #expect(throws: ArgumentRule.self) { try Names.reason(text) }
    }
}
