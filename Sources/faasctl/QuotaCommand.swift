internal import ArgumentParser
internal import FaasClient

/// `faasctl quota`.
struct QuotaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota",
        abstract: "Limits on what accounts, keys and algorithms may use.",
        discussion: """
            SCOPE is account:NAME, key:ID, algorithm:OWNER/NAME, account:NAME+algorithm:OWNER/NAME or author:NAME.
            METRIC is one of \(QuotaMetric.allCases.map(\.rawValue).joined(separator: ", ")).

            EXAMPLE
              faasctl quota set account:anna requests_per_second 10
              faasctl quota explain anna --algorithm bert/hello
            """,
        subcommands: [Set.self, Get.self, List.self, Unset.self, QuotaExplain.self]
    )

    struct Set: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a limit; 0 refuses everything.",
            discussion: """
                EXAMPLE
                  faasctl quota set account:anna concurrent_calls 20
                  faasctl quota set account:anna+algorithm:bert/hello spend_day_microcredits 5000000 --if-rev 17
                  faasctl quota set author:bert unpaid_cpu_seconds_day 3600
                  faasctl quota set account:anna+algorithm:bert/hello workers_warm 2
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "What is limited.", transform: QuotaScope.init(parsing:)) var scope: QuotaScope
        @Argument(help: "What is counted.") var metric: QuotaMetric
        @Argument(help: "The most there may be, a whole number.", transform: QuotaLimit.init(parsing:))
        var limit: QuotaLimit
        @Option(
            help: ArgumentHelp(
                "Only if it is at this revision (quota get), 0 if it must not be set: nobody else's change is overwritten.",
                valueName: "n"
            ),
            transform: Names.revision
        )
        var ifRev: Int64?

        func ask(_ client: FaasClient) async throws -> Answer<QuotaRecord> {
            try await client.setQuota(
                scope: scope.text,
                metric: metric.rawValue,
                limit: limit.value,
                ifRevision: ifRev
            )
        }

        func text(_ quota: QuotaRecord) -> String {
            let revision = quota.rev.map { " (revision \($0))" } ?? ""
            return Terminal.printable("\(quota.scope) \(quota.metric) is \(quota.limit)\(revision)") + "\n"
        }
    }

    struct Get: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one limit.",
            discussion: "EXAMPLE\n  faasctl quota get account:anna requests_per_second"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "What is limited.", transform: QuotaScope.init(parsing:)) var scope: QuotaScope
        @Argument(help: "What is counted.") var metric: QuotaMetric

        func ask(_ client: FaasClient) async throws -> Answer<Results<QuotaRecord>> {
            try await client.quotas(scope: scope.text, metric: metric.rawValue)
        }

        func text(_ quotas: Results<QuotaRecord>) -> String {
            quotas.rendered(empty: "no limit is set for \(scope.text) \(metric.rawValue)")
        }
    }

    struct List: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "List limits.",
            discussion: "EXAMPLE\n  faasctl quota list --scope account:anna"
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "Limits of this scope only.", transform: QuotaScope.init(parsing:)) var scope: QuotaScope?
        @Option(help: "Limits of this metric only.") var metric: QuotaMetric?

        func ask(_ client: FaasClient) async throws -> Answer<Results<QuotaRecord>> {
            try await client.quotas(scope: scope?.text, metric: metric?.rawValue)
        }

        func text(_ quotas: Results<QuotaRecord>) -> String {
            quotas.rendered(empty: "no limits are set: faasctl quota set SCOPE METRIC LIMIT")
        }
    }

    struct Unset: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a limit away.",
            discussion: "EXAMPLE\n  faasctl quota unset account:anna requests_per_second"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "What is limited.", transform: QuotaScope.init(parsing:)) var scope: QuotaScope
        @Argument(help: "What is counted.") var metric: QuotaMetric
        @Option(
            help: ArgumentHelp("Only if it is at this revision (quota get).", valueName: "n"),
            transform: Names.revision
        )
        var ifRev: Int64?

        func ask(_ client: FaasClient) async throws -> Answer<RemovedQuota> {
            try await client.removeQuota(scope: scope.text, metric: metric.rawValue, ifRevision: ifRev)
        }

        func text(_ quota: RemovedQuota) -> String {
            Terminal.printable("\(quota.scope) \(quota.metric) has no limit of its own any more") + "\n"
        }
    }
}

extension Results<QuotaRecord> {
    fileprivate func rendered(empty: String) -> String {
        var table = TextTable(.text("SCOPE"), .text("METRIC"), .number("LIMIT"), .number("REV"))
        for quota in results { table.add(quota.scope, quota.metric, "\(quota.limit)", quota.rev?.description ?? "-") }
        return table.rendered(empty: empty)
    }
}
