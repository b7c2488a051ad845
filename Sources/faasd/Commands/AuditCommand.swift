import ArgumentParser
import Billing

/// `faasd audit`: re-derives a ledger from its own records, offline.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check a ledger file: every sum, every charge, every link of the chain.",
        discussion: """
            Reads only. Works on a live database and on a copy.
            Exit status: 0 clean, 4 differences found, 3 unreadable.

            Example: faasd audit --database /backup/ledger.db
            """
    )

    @Option(help: "The ledger file.")
    var database: String

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let report: AuditReport
        do {
            report = try Ledger.audit(path: database)
        } catch {
            Console.complain("faasd: cannot read \(database): \(error)")
            throw ExitCode(3)
        }
        print(json ? try Console.json(report) : Self.table(report))
        throw ExitCode(report.ok ? 0 : 4)
    }

    private static func table(_ report: AuditReport) -> String {
        var lines = report.checks.map { "\($0.ok ? "ok  " : "FAIL")  \($0.name)  (\($0.examined) examined)" }
        lines += report.violations.map { "      \($0.check): \($0.detail)" }
        lines.append(report.ok ? "The ledger balances." : "\(report.violations.count) differences.")
        return lines.joined(separator: "\n")
    }
}
