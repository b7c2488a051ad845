import ArgumentParser
import Billing
import Foundation

/// `faasd audit`: re-derives a ledger from its own records, offline.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check a ledger file: every sum, every charge, every link of the chain.",
        discussion: """
            Reads only. Works on a live database and on a copy.
            Exit status: 0 clean, 1 refused, 3 unreadable, 4 differences found.

            Example: faasd audit --database /backup/ledger.db
            """,
        subcommands: [Run.self, Chain.self, Rerate.self, Explain.self, ExportHead.self],
        defaultSubcommand: Run.self
    )

    struct Options: ParsableArguments {
        @Option(help: "The ledger file.")
        var database: String

        @Flag(help: "Print one JSON document.")
        var json = false

        /// Runs a reading of the file; a file that cannot be read is told, and ends the program with 3.
        func reading<Value>(_ body: () throws -> Value) throws -> Value {
            do {
                return try body()
            } catch {
                Console.complain("faasd: cannot read \(database): \(error)")
                throw ExitCode(3)
            }
        }

        func print(_ report: AuditReport) throws {
            Swift.print(json ? try Console.json(report) : Self.table(report))
            throw ExitCode(report.ok ? 0 : 4)
        }

        private static func table(_ report: AuditReport) -> String {
            var lines = report.checks.map { "\($0.ok ? "ok  " : "FAIL")  \($0.name)  (\($0.examined) examined)" }
            lines += report.violations.map { "      \($0.check): \($0.detail)" }
            lines.append(report.ok ? "The ledger balances." : "\(report.violations.count) differences.")
            return lines.joined(separator: "\n")
        }
    }

    struct Blocks: ParsableArguments {
        @Option(help: "Look at the rows from this block on only; what needs all of them is left out.")
        var fromBlock: Int64 = 1

        func validate() throws {
            guard fromBlock >= 1 else { throw ValidationError("--from-block \(fromBlock): blocks count from 1") }
        }
    }

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check every rule.")
        @OptionGroup var options: Options
        @OptionGroup var blocks: Blocks

        func run() throws {
            let wish = AuditWish(.everything, fromBlock: blocks.fromBlock)
            try options.print(try options.reading { try Ledger.audit(path: options.database, wish) })
        }
    }

    struct Chain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the chain of blocks, and that heads exported before are in it."
        )
        @OptionGroup var options: Options
        @OptionGroup var blocks: Blocks
        @Option(help: "A head that was exported; may be given several times.")
        var head: [String] = []
        @Option(help: "The key that must have signed them, in hexadecimal digits. Default: the one each head names.")
        var publicKey: String?

        func run() throws {
            let heads = try head.map { path in
                do {
                    return try JSONDecoder().decode(SignedHead.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
                } catch {
                    Console.complain("faasd: cannot read the head \(path): \(error)")
                    throw ExitCode(3)
                }
            }
            let wish = AuditWish(.chain, fromBlock: blocks.fromBlock, heads: heads, trustedKey: publicKey)
            try options.print(try options.reading { try Ledger.audit(path: options.database, wish) })
        }
    }

    struct Rerate: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Calculate the price of every call again.")
        @OptionGroup var options: Options
        @OptionGroup var blocks: Blocks

        func run() throws {
            let wish = AuditWish(.rates, fromBlock: blocks.fromBlock)
            try options.print(try options.reading { try Ledger.audit(path: options.database, wish) })
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Explain one call: what was measured, what it cost and why, who got it.",
            discussion: "Prints one JSON document; faasctl usage explain shows the same of a running daemon as a table."
        )
        @OptionGroup var options: Options
        @Argument(help: "The call's id.") var id: String

        func run() throws {
            let found = try options.reading {
                try InvocationID(id).flatMap { try Ledger.explain(path: options.database, $0) }
            }
            guard let found else {
                Console.complain("faasd: there is no call \(id)")
                throw ExitCode(1)
            }
            print(try Console.json(found))
            throw ExitCode(found.differences.isEmpty ? 0 : 4)
        }
    }

    struct ExportHead: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export-head",
            abstract: "Print the last block, signed, to be kept elsewhere."
        )
        @OptionGroup var options: Options
        @Option(help: "The signing key, head.key of the state directory. Without it the head is not signed.")
        var signingKey: String?

        func run() throws {
            let head = try options.reading {
                let key = try signingKey.map { try HeadKey(path: $0, makingIfMissing: false) }
                return try Ledger.head(path: options.database, key: key)
            }
            guard let head else {
                Console.complain("faasd: \(options.database) has no block")
                throw ExitCode(1)
            }
            print(try Console.json(head))
        }
    }
}
