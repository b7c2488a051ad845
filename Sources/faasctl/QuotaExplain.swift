internal import ArgumentParser
internal import FaasClient

/// `faasctl quota explain`.
struct QuotaExplain: QueryCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show which limits hold for a caller, how much is used, and which is the closest.",
        discussion: """
            The limit that is reached first is marked with *.

            EXAMPLE
              faasctl quota explain anna --algorithm bert/hello
            """
    )
    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The account that calls.", transform: Names.user) var account: String
    @Option(help: ArgumentHelp("The id of the key it calls with.", valueName: "id"), transform: Names.keyID)
    var keyID: String?
    @Option(
        help: ArgumentHelp("The algorithm it calls.", valueName: "owner/name"),
        transform: AlgorithmName.init(parsing:)
    )
    var algorithm: AlgorithmName?

    func ask(_ client: FaasClient) async throws -> Answer<QuotaExplanation> {
        try await client.explainQuotas(account: account, key: keyID, algorithm: algorithm?.description)
    }

    func text(_ explanation: QuotaExplanation) -> String {
        var table = TextTable(
            .text(""),
            .text("METRIC"),
            .text("SCOPE"),
            .number("USED"),
            .number("LIMIT"),
            .text("RESET")
        )
        for row in explanation.results {
            for link in row.chain {
                table.add(
                    link.scope == row.binding?.scope ? "*" : "",
                    row.metric,
                    link.scope,
                    link.used?.description ?? "-",
                    link.limit?.description ?? "-",
                    Display.moment(seconds: link.reset)
                )
            }
        }
        return table.rendered(empty: "no limits hold for \(account)")
    }
}
