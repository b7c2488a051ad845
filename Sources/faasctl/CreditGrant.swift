internal import ArgumentParser
internal import FaasClient

extension CreditCommand {
    struct Grant: QueryCommand {
        static let configuration = CommandConfiguration(
            commandName: "grant",
            abstract: "Give an account credit that has a priority and may end.",
            discussion: """
                Charges use grants by priority, then the one that ends first, then the oldest; the account's own credit \
                comes last. --expires takes a day (2027-01-31: when it begins, UTC), a number of days (30d: when the 30th \
                day after today has ended, UTC) or a moment (2027-01-31T12:00:00Z). The reference names the grant: the \
                same reference gives it once only.

                EXAMPLE
                  faasctl credit grant anna 10 --priority 0 --expires 30d --ref welcome-anna
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @Argument(help: "How much: a decimal number with at most 6 places.", transform: Credits.init(parsing:))
        var credits: Credits
        @Option(
            help: ArgumentHelp("0 to 99, 10 unless told; lower is used first.", valueName: "n"),
            transform: Names.priority
        )
        var priority: Int?
        @Option(
            help: ArgumentHelp("When it ends; never unless told.", valueName: "when"),
            transform: { try Expiry(parsing: $0) }
        )
        var expires: Expiry?
        @Option(help: ArgumentHelp("What the grant is called.", valueName: "reference"), transform: Names.reference)
        var ref: String

        func ask(_ client: FaasClient) async throws -> Answer<Granted> {
            try await client.grant(
                name,
                credits: credits.text,
                priority: priority,
                expires: expires?.text,
                reference: ref
            )
        }

        func text(_ granted: Granted) -> String {
            granted.balance.rendered + "\n" + Results(results: granted.grant.map { [$0] } ?? []).rendered(empty: "")
        }
    }

    struct Lots: QueryCommand {
        static let configuration = CommandConfiguration(
            commandName: "lots",
            abstract: "List an account's grants in the order of their use.",
            discussion: "EXAMPLE\n  faasctl credit lots anna --all"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @Flag(help: "Also those that are used up or have ended.") var all = false

        func ask(_ client: FaasClient) async throws -> Answer<Results<GrantRecord>> {
            try await client.grants(name, all: all)
        }

        func text(_ grants: Results<GrantRecord>) -> String {
            grants.rendered(empty: all ? "no grants were given to \(name)" : "\(name) has no grants; see also --all")
        }
    }
}

extension Results<GrantRecord> {
    func rendered(empty: String) -> String {
        var table = TextTable(
            .number("GRANT"),
            .number("PRIORITY"),
            .number("GIVEN"),
            .number("LEFT"),
            .text("STATE"),
            .text("EXPIRES"),
            .text("REFERENCE")
        )
        for grant in results {
            table.add(
                grant.id.description,
                "\(grant.priority)",
                Display.credits(grant.givenMicrocredits),
                Display.credits(grant.leftMicrocredits),
                grant.state,
                grant.expires.map { Display.instant($0) } ?? "never",
                grant.ref
            )
        }
        return table.rendered(empty: empty)
    }
}
