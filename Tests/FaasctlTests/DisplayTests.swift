import FaasClient
import FoundationEssentials
import Testing

@testable import faasctl

@Suite struct DisplayTests {
    @Test func `columns are as wide as their longest cell`() {
        var table = TextTable(.text("NAME"), .number("LIMIT"), .text("NOTE"))
        table.add("anna", "5", "")
        table.add("bärbel", "1000000", "x")
        #expect(
            table.rendered(empty: "") == """
                NAME      LIMIT  NOTE
                anna          5
                bärbel  1000000  x

                """
        )
    }

    @Test func `an empty table says so`() {
        #expect(TextTable(.text("NAME")).rendered(empty: "no users") == "no users\n")
    }

    @Test func `control characters do not reach the terminal`() {
        var table = TextTable(.text("LABEL"))
        table.add("a\u{1B}[31m\nb\u{9B}")
        #expect(table.rendered(empty: "") == "LABEL\na\u{FFFD}[31m\u{FFFD}b\u{FFFD}\n")
        #expect(Terminal.printable("a\nb\r", keepingLines: true) == "a\nb\u{FFFD}")
    }

    @Test func `facts stand in one column`() {
        var facts = FactList()
        facts.add("id", "1")
        facts.add("wall time", "2")
        facts.add("none", nil)
        #expect(facts.rendered == "id         1\nwall time  2\n")
    }

    @Test(
        arguments: [
            (0, "0"), (1, "0.000001"), (10, "0.00001"), (1_000_000, "1"), (12_500_000, "12.5"), (-1, "-0.000001"),
            (Int64.max, "9223372036854.775807"), (Int64.min, "-9223372036854.775808"),
        ] as [(Int64, String)]
    )
    func `microcredits as credits`(amount: Int64, text: String) {
        #expect(Display.credits(amount) == text)
    }

    @Test(
        arguments: [(nil, "-"), (0, "0.000 ms"), (999, "0.999 ms"), (1_234_567, "1234.567 ms")] as [(Int64?, String)]
    )
    func `microseconds as milliseconds`(time: Int64?, text: String) {
        #expect(Display.milliseconds(time) == text)
    }

    @Test(arguments: [(0, "0 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (512 << 20, "512 MiB"), (1 << 30, "1 GiB")])
    func `bytes in the largest whole unit`(count: Int64, text: String) {
        #expect(Display.bytes(count) == text)
    }

    @Test(arguments: [(999, "999 B"), (1_000, "1.0 kB"), (1_290_000, "1.2 MB")])
    func `sizes with one decimal`(count: Int, text: String) {
        #expect(Display.size(count) == text)
    }

    @Test(arguments: [("\"yesterday\"", "yesterday"), ("1700000000000000", "2023-11-14T22:13:20Z"), ("true", "true")])
    func `an instant is text or microseconds`(json: String, text: String) throws {
        let scalar = try JSONDecoder().decode(Scalar.self, from: Data(json.utf8))
        #expect(Display.instant(scalar) == text)
    }

    @Test(arguments: [("1795478400", "2026-11-24T00:00:00Z"), ("\"soon\"", "soon"), ("null", "-")])
    func `a reset is text or seconds`(json: String, text: String) throws {
        let scalar = try JSONDecoder().decode(Scalar?.self, from: Data(json.utf8))
        #expect(Display.moment(seconds: scalar) == text)
    }

    @Test func `the progress line has a mark, the stage and the time`() {
        #expect(Progress.line(frame: 0, stage: "packing x", elapsedSeconds: 0) == "| packing x 0:00")
        #expect(Progress.line(frame: 5, stage: "installing", elapsedSeconds: 605) == "/ installing 10:05")
    }
}
