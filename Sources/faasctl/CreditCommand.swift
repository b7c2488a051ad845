internal import ArgumentParser
internal import FaasClient

/// `faasctl credit`.
struct CreditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credit",
        abstract: "What an account can spend: payments, grants, corrections, refunds.",
        discussion: "EXAMPLE\n  faasctl credit top-up anna 12.5 --ref invoice-17\n  faasctl credit show anna",
        subcommands: [TopUp.self, Show.self, Grant.self, Lots.self, Adjust.self, Refund.self]
    )

    struct TopUp: QueryCommand {
        static let configuration = CommandConfiguration(
            commandName: "top-up",
            abstract: "Add credit to an account.",
            discussion: """
                The reference names the payment: the same reference adds its credit once only, so the command can be \
                repeated when its answer was lost.

                EXAMPLE
                  faasctl credit top-up anna 12.5 --ref invoice-17
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @Argument(help: "How much: a decimal number with at most 6 places.", transform: Credits.init(parsing:))
        var credits: Credits
        @Option(help: ArgumentHelp("What the payment is called.", valueName: "reference"), transform: Names.reference)
        var ref: String

        func ask(_ client: FaasClient) async throws -> Answer<Balance> {
            try await client.topUp(name, credits: credits.text, reference: ref)
        }

        func text(_ balance: Balance) -> String { balance.rendered }
    }

    struct Show: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what an account can spend.",
            discussion: "EXAMPLE\n  faasctl credit show anna"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String

        func ask(_ client: FaasClient) async throws -> Answer<Balance> { try await client.balance(name) }
        func text(_ balance: Balance) -> String { balance.rendered }
    }
}

extension Balance {
    var rendered: String {
        var facts = FactList()
        facts.add("available", "\(Display.credits(availableMicrocredits)) credits")
        facts.add("held", "\(Display.credits(heldMicrocredits)) credits")
        facts.add("spent", "\(Display.credits(spentMicrocredits)) credits")
        return facts.rendered
    }
}
