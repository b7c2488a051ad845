internal import ArgumentParser
internal import FaasClient

extension CreditCommand {
    struct Adjust: QueryCommand {
        static let configuration = CommandConfiguration(
            commandName: "adjust",
            abstract: "Correct an account's credit by hand, up or down.",
            discussion: """
                What running calls hold cannot be taken away; what is taken comes from grants first. The reference names \
                the correction: the same reference corrects once only.

                EXAMPLE
                  faasctl credit adjust anna -12.5 --reason 'invoice 17 was paid twice' --ref correction-17
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @Argument(
            help: "How much: a decimal number with at most 6 places; less than 0 takes credit away.",
            transform: SignedCredits.init(parsing:)
        )
        var credits: SignedCredits
        @Option(help: ArgumentHelp("Why, for the record.", valueName: "text"), transform: Names.reason)
        var reason: String
        @Option(
            help: ArgumentHelp("What the correction is called.", valueName: "reference"),
            transform: Names.reference
        )
        var ref: String

        func ask(_ client: FaasClient) async throws -> Answer<Balance> {
            try await client.adjust(name, credits: credits.text, reason: reason, reference: ref)
        }

        func text(_ balance: Balance) -> String { balance.rendered }
    }

    struct Refund: QueryCommand {
        static let configuration = CommandConfiguration(
            commandName: "refund",
            abstract: "Give the charge of a call back, whole and once.",
            discussion: """
                Whoever got a part of it gives that part back, the author of the algorithm too. Spend caps do not count \
                less for it.

                EXAMPLE
                  faasctl credit refund 01a20848-7c4e-7b3f-8000-0123456789ab --reason 'wrong model deployed'
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The call's id, as `usage list` shows it.", transform: Names.invocation) var invocation: String
        @Option(help: ArgumentHelp("Why, for the record.", valueName: "text"), transform: Names.reason)
        var reason: String

        func ask(_ client: FaasClient) async throws -> Answer<Refunded> {
            try await client.refund(invocation, reason: reason)
        }

        func text(_ refund: Refunded) -> String {
            var facts = FactList()
            facts.add("call", refund.id)
            facts.add("account", refund.account)
            facts.add("refunded", "\(Display.credits(refund.refundedMicrocredits)) credits")
            return facts.rendered + refund.balance.rendered
        }
    }
}
