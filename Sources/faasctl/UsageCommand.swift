internal import ArgumentParser
internal import FaasClient

/// `faasctl usage`.
struct UsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "The record of calls: how long, how they ended, what they cost.",
        discussion: "EXAMPLE\n  faasctl usage list --account anna --limit 20",
        subcommands: [List.self, Show.self, Explain.self]
    )

    struct List: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "List calls, newest first.",
            discussion: "EXAMPLE\n  faasctl usage list --account anna --limit 20 --json"
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("Calls this account paid only.", valueName: "name"), transform: Names.user)
        var account: String?
        @Option(help: ArgumentHelp("At most so many: 1 to 1000.", valueName: "n")) var limit: Int?

        func validate() throws {
            if let limit, !(1...1_000 ~= limit) {
                throw ValidationError("--limit \(limit) is refused: it must be 1 to 1000")
            }
        }

        func ask(_ client: FaasClient) async throws -> Answer<Results<UsageRecord>> {
            try await client.usage(account: account, limit: limit)
        }

        func text(_ calls: Results<UsageRecord>) -> String {
            var table = TextTable(
                .text("ID"),
                .text("START"),
                .text("ACCOUNT"),
                .text("ALGORITHM"),
                .text("OUTCOME"),
                .number("WALL"),
                .number("CPU"),
                .number("CREDITS")
            )
            for call in calls.results {
                table.add(
                    call.id.description,
                    Display.instant(call.start),
                    call.account,
                    call.reference,
                    call.outcome,
                    Display.milliseconds(call.wallMicroseconds),
                    Display.milliseconds(call.cpuMicroseconds),
                    call.amountMicrocredits.map(Display.credits) ?? "-"
                )
            }
            return table.rendered(empty: "no calls yet")
        }
    }

    struct Show: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one call; --json shows every field.",
            discussion: "EXAMPLE\n  faasctl usage show 01J8ZK3V9Q"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The call's id, as `usage list` shows it.") var id: String

        func ask(_ client: FaasClient) async throws -> Answer<UsageRecord> { try await client.usage(id: id) }

        func text(_ call: UsageRecord) -> String {
            var facts = FactList()
            facts.add("id", call.id.description)
            facts.add("start", Display.instant(call.start))
            facts.add("account", call.account)
            facts.add("algorithm", call.reference)
            facts.add("outcome", call.outcome)
            facts.add("wall time", Display.milliseconds(call.wallMicroseconds))
            facts.add("cpu time", Display.milliseconds(call.cpuMicroseconds))
            facts.add("charge", call.amountMicrocredits.map { "\(Display.credits($0)) credits" })
            facts.add("royalty", call.royaltyMicrocredits.map { "\(Display.credits($0)) credits" })
            return facts.rendered
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Explain what one call cost, line by line, each calculated again.",
            discussion: """
                For calls that the key's user paid for, and for administrators.

                EXAMPLE
                  faasctl usage explain 019a0b1c-…
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The call's id, as `usage list` shows it.") var id: String

        mutating func run() async throws { try await Explanation.show(id, connection) }
    }
}

extension UsageRecord {
    fileprivate var reference: String { version.map { "\(algorithm)/\($0)" } ?? algorithm }
}
