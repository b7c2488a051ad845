internal import ArgumentParser
internal import FaasClient

/// `faasctl ledger`.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Copies of the ledger.",
        discussion: "EXAMPLE\n  faasctl ledger backup --to monday.db\n  faasctl ledger restore-check monday.db",
        subcommands: [Backup.self, RestoreCheck.self]
    )

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy the ledger while calls go on.",
            discussion: """
                The daemon writes to the folder backups of its state directory, and nowhere else; --to is a name there. With \
                --database no daemon is needed, and --to is any path. A file that exists is never replaced.

                EXAMPLE
                  faasctl ledger backup --to monday.db
                  faasctl ledger backup --database /var/lib/faasd/ledger.db --to /mnt/monday.db
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("The copy.", valueName: "name")) var to: String
        @Option(help: ArgumentHelp("Copy this file, without a daemon.", valueName: "file")) var database: String?

        func validate() throws {
            try AuditSource.check(database, connection)
            if database == nil, to.contains("/") {
                throw ValidationError(
                    "--to \(to): a name in the daemon's folder of backups; any path with --database FILE"
                )
            }
        }

        mutating func run() async throws {
            if let database {
                let arguments = ["ledger", "backup", "--database", database, "--to", to]
                throw Sibling.replaceProcess(with: "faasd", arguments + (connection.json ? ["--json"] : []))
            }
            let name = to
            let answer = try await Progress.during("copying the ledger") { [connection] _ in
                try await connection.withClient { try await $0.backUpLedger(name: name) }
            }
            guard !connection.json else { return Output.write(answer.document) }
            var facts = FactList()
            facts.add("file", answer.value.path)
            facts.add("size", "\(answer.value.bytes) B")
            facts.add("last block", answer.value.head.map { "\($0.block) of \($0.time), \($0.hash)" })
            Output.write(facts.rendered)
        }
    }

    struct RestoreCheck: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore-check",
            abstract: "Check a copy, and say what going back to it would lose.",
            discussion: """
                A name is looked for among the daemon's backups, and compared with its ledger. A path is read without a \
                daemon, and compared with the ledger given by --against.

                EXAMPLE
                  faasctl ledger restore-check monday.db
                  faasctl ledger restore-check /mnt/monday.db --against /var/lib/faasd/ledger.db
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The copy.") var copy: String
        @Option(help: ArgumentHelp("With a path: the ledger it is of.", valueName: "file")) var against: String?

        func validate() throws {
            if against != nil, !copy.contains("/") {
                throw ValidationError("--against goes with a path, such as ./\(copy)")
            }
        }

        mutating func run() async throws {
            if copy.contains("/") {
                let ledger = against.map { ["--against", $0] } ?? []
                throw Sibling.replaceProcess(with: "faasd", ["ledger", "restore-check", copy] + ledger)
            }
            let name = copy
            let answer = try await Progress.during("checking the backup") { [connection] _ in
                try await connection.withClient { try await $0.checkBackup(name: name) }
            }
            if connection.json { Output.write(answer.document) } else { Output.write(Self.text(answer.value)) }
            guard answer.value.ok else { throw CommandFailure(differences: answer.value.violations.count) }
        }

        static func text(_ report: RestoreReport) -> String {
            var facts = FactList()
            facts.add("last block", report.head.map { "\($0.block) of \($0.time), \($0.hash)" })
            if let loss = report.loss {
                let (charged, paid) = (loss.chargedMicrocredits, loss.topUpMicrocredits)
                facts.add("would be lost", "\(loss.blocks) blocks")
                facts.add("", "\(loss.usageRecords) calls for \(Display.credits(charged)) credits")
                facts.add("", "\(loss.topUps) payments of \(Display.credits(paid)) credits")
            }
            return AuditReport.text(report.checks, report.violations) + "\n" + facts.rendered
        }
    }
}
