internal import ArgumentParser
internal import FaasClient

/// `faasctl hold`.
struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "What is set aside on disk for running calls with a large worst case.",
        discussion: "EXAMPLE\n  faasctl hold list --older 10m",
        subcommands: [List.self]
    )

    struct List: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the holds on disk that are open, oldest first.",
            discussion: """
                A hold belongs to a running call and ends with it, at its deadline at the latest; it cannot be given back \
                by hand, because the call's charge could find the credit gone. Holds of a daemon that was killed are \
                given back when it starts again.

                EXAMPLE
                  faasctl hold list --older 10m
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(
            help: ArgumentHelp("Only those at least so old: 90s, 10m, 2h, 1d.", valueName: "age"),
            transform: Age.init(parsing:)
        )
        var older: Age?

        func ask(_ client: FaasClient) async throws -> Answer<Results<HoldRecord>> {
            try await client.holds(olderThanSeconds: older?.seconds)
        }

        func text(_ holds: Results<HoldRecord>) -> String {
            var table = TextTable(
                .text("INVOCATION"),
                .text("ACCOUNT"),
                .text("ALGORITHM"),
                .number("CREDITS"),
                .number("AGE"),
                .text("RUNNING")
            )
            for hold in holds.results {
                table.add(
                    hold.invocation,
                    hold.account,
                    hold.version.map { "\(hold.algorithm)/\($0)" } ?? hold.algorithm,
                    Display.credits(hold.amountMicrocredits),
                    "\(hold.ageSeconds) s",
                    Display.yesNo(hold.running)
                )
            }
            return table.rendered(empty: "no holds on disk are open")
        }
    }
}
