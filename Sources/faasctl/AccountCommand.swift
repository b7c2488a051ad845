internal import ArgumentParser
internal import FaasClient

/// The state of an account.
enum AccountState: String, CaseIterable, ExpressibleByArgument, Sendable {
    case open
    case frozen
    case closed
}

/// `faasctl account`.
struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "What accounts may do, and what they have earned.",
        discussion: """
            EXAMPLE
              faasctl account show anna
              faasctl account freeze anna --reason 'card stolen' --if-rev 3
            """,
        subcommands: [
            Show.self, List.self, Freeze.self, Unfreeze.self, Close.self, SetOverdraft.self, ShowEarnings.self,
        ]
    )

    struct Show: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an account: state, revision, credit, overdraft line, and grants with something left.",
            discussion: "EXAMPLE\n  faasctl account show anna"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String

        func ask(_ client: FaasClient) async throws -> Answer<AccountRecord> { try await client.account(name) }
        func text(_ account: AccountRecord) -> String { account.rendered }
    }

    struct List: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "List accounts by name.",
            discussion: "EXAMPLE\n  faasctl account list --state frozen --limit 1000"
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "Accounts in this state only.") var state: AccountState?
        @Option(help: ArgumentHelp("Accounts after this name only: the next page.", valueName: "name"))
        var after: String?
        @Option(help: ArgumentHelp("At most so many: 1 to 1000; 100 unless told.", valueName: "n")) var limit: Int?

        func validate() throws {
            if let limit, !(1...1_000 ~= limit) {
                throw ValidationError("--limit \(limit) is refused: it must be 1 to 1000")
            }
        }

        func ask(_ client: FaasClient) async throws -> Answer<Results<AccountRecord>> {
            try await client.accounts(after: after, state: state?.rawValue, limit: limit)
        }

        func text(_ accounts: Results<AccountRecord>) -> String {
            var table = TextTable(
                .text("ACCOUNT"),
                .text("STATE"),
                .number("REV"),
                .number("AVAILABLE"),
                .number("HELD"),
                .number("SPENT"),
                .number("OVERDRAFT")
            )
            for account in accounts.results {
                table.add(
                    account.account,
                    account.state,
                    "\(account.rev)",
                    Display.credits(account.availableMicrocredits),
                    Display.credits(account.heldMicrocredits),
                    Display.credits(account.spentMicrocredits),
                    Display.credits(account.overdraftMicrocredits)
                )
            }
            return table.rendered(empty: "no such accounts")
        }
    }

    struct ShowEarnings: QueryCommand {
        static let configuration = CommandConfiguration(
            commandName: "earnings",
            abstract: "Show what an author has been paid in royalties, and what of it was refunded.",
            discussion: "EXAMPLE\n  faasctl account earnings anna"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The author's account.", transform: Names.user) var name: String

        func ask(_ client: FaasClient) async throws -> Answer<EarningsRecord> { try await client.earnings(name) }

        func text(_ earnings: EarningsRecord) -> String {
            var facts = FactList()
            facts.add("royalties", "\(Display.credits(earnings.royaltiesMicrocredits)) credits")
            facts.add("refunded", "\(Display.credits(earnings.refundedMicrocredits)) credits")
            facts.add("earned", "\(Display.credits(earnings.earnedMicrocredits)) credits")
            return facts.rendered
        }
    }
}

extension AccountRecord {
    /// The account for people.
    var rendered: String {
        var facts = FactList()
        facts.add("account", account)
        facts.add("state", state)
        facts.add("revision", "\(rev)")
        facts.add("available", "\(Display.credits(availableMicrocredits)) credits")
        facts.add("held", "\(Display.credits(heldMicrocredits)) credits, \(running ?? 0) calls running")
        facts.add("spent", "\(Display.credits(spentMicrocredits)) credits")
        facts.add("own credit", "\(Display.credits(ownMicrocredits)) credits")
        facts.add("overdraft line", "\(Display.credits(overdraftMicrocredits)) credits")
        guard let grants, !grants.isEmpty else { return facts.rendered }
        return facts.rendered + "\n" + Results(results: grants).rendered(empty: "")
    }
}
