internal import ArgumentParser
internal import FaasClient
internal import FoundationEssentials

/// `faasctl audit`.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check that the ledger adds up.",
        discussion: """
            Exit status 0: every check held. 4: differences, each listed with rows and amounts.
            With --database no daemon is needed: the program faasd beside faasctl reads the file.

            EXAMPLE
              faasctl audit run
              faasctl audit export-head > head.json
              faasctl audit chain --head head.json
            """,
        subcommands: [Run.self, Chain.self, Rerate.self, Explain.self, ExportHead.self]
    )

    struct Run: AuditVerb {
        static let configuration = CommandConfiguration(
            abstract: "Check the ledger of the daemon, or a database file.",
            discussion: """
                If the daemon refuses calls because an audit failed, a clean run of everything lets it take them again.

                EXAMPLE
                  faasctl audit run
                  faasctl audit run --database /backup/ledger.db --json
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var source: AuditSource

        func ask(_ client: FaasClient) async throws -> Answer<AuditReport> {
            try await client.audit(fromBlock: source.fromBlock)
        }

        var verb: [String] { [] }
    }

    struct Chain: AuditVerb {
        static let configuration = CommandConfiguration(
            abstract: "Check the chain of blocks, and that heads exported before are in it.",
            discussion: """
                A chain that was cut or written anew holds in itself; a head exported before and kept elsewhere shows it.

                EXAMPLE
                  faasctl audit chain --head head.json
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var source: AuditSource
        @Option(help: ArgumentHelp("A head exported before; may be given several times.", valueName: "file"))
        var head: [String] = []
        @Option(help: ArgumentHelp("With --database: the key that must have signed the heads.", valueName: "digits"))
        var publicKey: String?

        func validate() throws {
            if publicKey != nil, source.database == nil {
                throw ValidationError("--public-key goes with --database: a daemon trusts its own key only")
            }
        }

        func ask(_ client: FaasClient) async throws -> Answer<AuditReport> {
            var heads: [[UInt8]] = []
            for path in head { heads.append(try Self.read(path)) }
            return try await client.audit(scope: "chain", fromBlock: source.fromBlock, heads: heads)
        }

        private static func read(_ path: String) throws -> [UInt8] {
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), data.count <= 4096 else {
                throw CommandFailure(.unreachable, "\(path) cannot be read, or is no exported head")
            }
            return Array(data)
        }

        var verb: [String] {
            ["chain"] + head.flatMap { ["--head", $0] } + (publicKey.map { ["--public-key", $0] } ?? [])
        }
    }

    struct Rerate: AuditVerb {
        static let configuration = CommandConfiguration(
            abstract: "Calculate the price of every call again, from price book and policy.",
            discussion: "EXAMPLE\n  faasctl audit rerate --from-block 1000"
        )
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var source: AuditSource

        func ask(_ client: FaasClient) async throws -> Answer<AuditReport> {
            try await client.audit(scope: "rates", fromBlock: source.fromBlock)
        }

        var verb: [String] { ["rerate"] }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Explain one call: measures, price, hold, transfers and block, each line calculated again.",
            discussion: "EXAMPLE\n  faasctl audit explain 019a0b1c-…"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The call's id, as `usage list` shows it.") var id: String
        @Option(help: ArgumentHelp("Look into this file instead of the daemon's ledger.", valueName: "file"))
        var database: String?

        func validate() throws { try AuditSource.check(database, connection) }

        mutating func run() async throws {
            if let database {
                throw Sibling.replaceProcess(with: "faasd", ["audit", "explain", "--database", database, id])
            }
            try await Explanation.show(id, connection)
        }
    }

    struct ExportHead: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export-head",
            abstract: "Print the last block, signed, to be kept elsewhere.",
            discussion: """
                Always a JSON document. Kept where nobody who can change the ledger can change it, it proves later what the \
                ledger said: faasctl audit chain --head FILE.

                EXAMPLE
                  faasctl audit export-head > head.json
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("Of this file instead of the daemon's ledger.", valueName: "file"))
        var database: String?
        @Option(help: ArgumentHelp("With --database: head.key of the state directory.", valueName: "file"))
        var signingKey: String?

        func validate() throws { try AuditSource.check(database, connection) }

        mutating func run() async throws {
            if let database {
                let key = signingKey.map { ["--signing-key", $0] } ?? []
                throw Sibling.replaceProcess(with: "faasd", ["audit", "export-head", "--database", database] + key)
            }
            Output.write(try await connection.withClient { try await $0.exportedHead() }.document)
        }
    }
}

/// What an audit reads.
struct AuditSource: ParsableArguments {
    @Option(help: ArgumentHelp("Check this file instead of the daemon's ledger.", valueName: "file"))
    var database: String?
    @Option(
        help: ArgumentHelp(
            "Look at the rows from this block on only; what needs all of them is left out.",
            valueName: "n"
        )
    )
    var fromBlock: Int64?

    func validate() throws {
        if let fromBlock, fromBlock < 1 { throw ValidationError("--from-block \(fromBlock): blocks count from 1") }
    }

    static func check(_ database: String?, _ connection: ConnectionOptions) throws {
        guard database != nil, connection.socket != nil || connection.server != nil else { return }
        throw ValidationError("give --database for a file, or --socket or --server for a daemon, not both")
    }
}

/// A verb that ends with a list of checks and differences.
protocol AuditVerb: AsyncParsableCommand {
    var connection: ConnectionOptions { get }
    var source: AuditSource { get }
    /// What to give to `faasd audit`.
    var verb: [String] { get }

    func ask(_ client: FaasClient) async throws -> Answer<AuditReport>
}

extension AuditVerb {
    mutating func run() async throws {
        try AuditSource.check(source.database, connection)
        if let database = source.database { throw Sibling.replaceProcess(with: "faasd", arguments(database)) }
        let command = self
        let answer = try await Progress.during("auditing the ledger") { _ in
            try await command.connection.withClient { try await command.ask($0) }
        }
        let report = answer.value
        if connection.json { Output.write(answer.document) } else { Output.write(report.rendered) }
        guard report.ok else { throw CommandFailure(differences: report.violations.count) }
    }

    func arguments(_ database: String) -> [String] {
        let block = source.fromBlock.map { ["--from-block", "\($0)"] } ?? []
        return ["audit"] + verb + ["--database", database] + block + (connection.json ? ["--json"] : [])
    }
}

extension CommandFailure {
    init(differences count: Int) {
        let message = "the ledger has \(count) \(count == 1 ? "difference" : "differences") from what it must be"
        self.init(.differences, message, isDocumentWritten: true)
    }
}

extension AuditReport {
    var rendered: String { Self.text(checks, violations) }

    static func text(_ checks: [Check], _ violations: [Violation]) -> String {
        var table = TextTable(.text("CHECK"), .text("HOLDS"), .number("EXAMINED"))
        for check in checks {
            table.add(check.name, Display.yesNo(check.ok), check.examined.map { "\($0)" } ?? "-")
        }
        guard !violations.isEmpty else { return table.rendered(empty: "nothing was checked") }
        var list = TextTable(.text("CHECK"), .text("DIFFERENCE"))
        for violation in violations { list.add(violation.check, violation.detail) }
        return table.rendered(empty: "nothing was checked") + "\n" + list.rendered(empty: "")
    }
}
