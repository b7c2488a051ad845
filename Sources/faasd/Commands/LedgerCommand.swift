import ArgumentParser
import Billing

/// `faasd ledger`: copies of a ledger, offline.
struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Copy a ledger file, and check a copy.",
        discussion: "Example: faasd ledger restore-check /backup/ledger.db --against /var/lib/faasd/ledger.db",
        subcommands: [Backup.self, RestoreCheck.self]
    )

    struct Backup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a ledger file, also of a running daemon, as it is at one moment.",
            discussion: "Exit status: 0 done, 1 refused (the file exists, no room), 3 unreadable."
        )
        @Option(help: "The ledger file.") var database: String
        @Option(help: "The copy: a file that does not exist.") var to: String
        @Flag(help: "Print one JSON document.") var json = false

        func run() throws {
            do throws(LedgerError) {
                let made = try Ledger.backup(path: database, to: to, key: nil)
                let text =
                    "\(made.path)  \(made.bytes) bytes, last block \(made.head?.block ?? 0) \(made.head?.hash ?? "")"
                print(json ? (try? Console.json(made)) ?? "" : text)
            } catch {
                Console.complain("faasd: \(error)")
                throw ExitCode(error.kind == .conflict || error.kind == .invalid ? 1 : 3)
            }
        }
    }

    struct RestoreCheck: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore-check",
            abstract: "Audit a copy, and say what going back to it would lose.",
            discussion: "Prints one JSON document. Exit status: 0 clean, 3 unreadable, 4 differences found."
        )
        @Argument(help: "The copy.") var copy: String
        @Option(help: "The ledger it is of.") var against: String?

        func run() throws {
            let report: RestoreReport
            do {
                report = try Ledger.restoreCheck(copy, against: against, key: nil)
            } catch {
                Console.complain("faasd: cannot read \(copy): \(error)")
                throw ExitCode(3)
            }
            print(try Console.json(report))
            throw ExitCode(report.ok ? 0 : 4)
        }
    }
}
