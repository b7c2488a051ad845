internal import ArgumentParser
internal import FaasClient

/// `faasctl audit`.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check that the ledger adds up.",
        discussion: "EXAMPLE\n  faasctl audit run",
        subcommands: [Run.self]
    )

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the ledger of the daemon, or a database file.",
            discussion: """
                Exit status 0: every check held. 4: differences, each listed with rows and amounts.
                With --database no daemon is needed: the program faasd beside faasctl reads the file.

                EXAMPLE
                  faasctl audit run
                  faasctl audit run --database /backup/ledger.db --json
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("Check this file instead of the daemon's ledger.", valueName: "file"))
        var database: String?

        func validate() throws {
            guard database != nil, connection.socket != nil || connection.server != nil else { return }
            throw ValidationError("give --database for a file, or --socket or --server for a daemon, not both")
        }

        mutating func run() async throws {
            if let database { throw Sibling.replaceProcess(with: "faasd", Self.arguments(database, connection.json)) }
            let command = self
            let answer = try await Progress.during("auditing the ledger") { _ in
                try await command.connection.withClient { try await $0.audit() }
            }
            let report = answer.value
            if connection.json { Output.write(answer.document) } else { Output.write(Self.text(report)) }
            guard report.ok else {
                let count = report.violations.count
                let message =
                    "the ledger has \(count) \(count == 1 ? "difference" : "differences") from what it must be"
                throw CommandFailure(.differences, message, isDocumentWritten: true)
            }
        }

        static func arguments(_ database: String, _ json: Bool) -> [String] {
            ["audit", "--database", database] + (json ? ["--json"] : [])
        }

        static func text(_ report: AuditReport) -> String {
            var checks = TextTable(.text("CHECK"), .text("HOLDS"), .number("EXAMINED"))
            for check in report.checks {
                checks.add(check.name, Display.yesNo(check.ok), check.examined.map { "\($0)" } ?? "-")
            }
            guard !report.violations.isEmpty else { return checks.rendered(empty: "nothing was checked") }
            var violations = TextTable(.text("CHECK"), .text("DIFFERENCE"))
            for violation in report.violations { violations.add(violation.check, violation.detail) }
            return checks.rendered(empty: "nothing was checked") + "\n" + violations.rendered(empty: "")
        }
    }
}
