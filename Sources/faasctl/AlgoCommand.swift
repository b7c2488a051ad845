internal import ArgumentParser
internal import FaasClient

/// `faasctl algo`.
struct AlgoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "algo",
        abstract: "Algorithms: deploy, look at, call, delete.",
        discussion:
            "EXAMPLE\n  faasctl algo deploy ./hello --name anna/hello\n  faasctl algo call anna/hello --data HAL",
        subcommands: [AlgoDeploy.self, List.self, Show.self, Lock.self, AlgoCall.self, Delete.self]
    )

    struct List: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "List algorithms with their newest versions.",
            discussion: "EXAMPLE\n  faasctl algo list --owner anna"
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("Algorithms of this user only.", valueName: "name"), transform: Names.user)
        var owner: String?

        func ask(_ client: FaasClient) async throws -> Answer<Results<AlgorithmRecord>> {
            try await client.algorithms(owner: owner)
        }

        func text(_ algorithms: Results<AlgorithmRecord>) -> String {
            var table = TextTable(.text("NAME"), .text("VERSION"), .text("PUBLIC"), .text("CREATED"))
            for algorithm in algorithms.results {
                let created = Display.instant(algorithm.created)
                table.add(algorithm.name, algorithm.version, Display.yesNo(algorithm.public), created)
            }
            return table.rendered(empty: "no algorithms yet: faasctl algo deploy DIR --name OWNER/NAME")
        }
    }

    struct Show: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an algorithm's versions and their limits.",
            discussion: "EXAMPLE\n  faasctl algo show anna/hello"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The algorithm, OWNER/NAME.", transform: AlgorithmName.init(parsing:)) var name: AlgorithmName

        func ask(_ client: FaasClient) async throws -> Answer<AlgorithmDetails> {
            try await client.algorithm(owner: name.owner, name: name.name)
        }

        func text(_ algorithm: AlgorithmDetails) -> String {
            var table = TextTable(
                .text("VERSION"),
                .text("PUBLIC"),
                .number("ROYALTY"),
                .number("MEMORY"),
                .number("CPUS"),
                .number("TIMEOUT"),
                .text("ISOLATION"),
                .text("START"),
                .text("RUNTIME"),
                .text("HASH"),
                .text("CREATED")
            )
            for version in algorithm.versions {
                table.add(
                    version.version,
                    Display.yesNo(version.public),
                    Display.credits(version.royaltyMicrocredits),
                    Display.bytes(version.memoryBytes),
                    "\(version.cpus)",
                    "\(version.timeoutSeconds) s",
                    version.isolation,
                    version.start,
                    version.runtime,
                    version.hash,
                    Display.instant(version.created)
                )
            }
            return Terminal.printable(algorithm.name) + "\n" + table.rendered(empty: "no versions")
        }
    }

    struct Lock: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a version was built with, as a requirements.txt with hashes.",
            discussion: """
                A deploy with these lines as its requirements.txt installs the same packages again, byte for byte.

                EXAMPLE
                  faasctl algo lock anna/hello/0.1.0 > requirements.txt
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The version, OWNER/NAME or OWNER/NAME/VERSION.", transform: AlgorithmReference.init(parsing:))
        var reference: AlgorithmReference

        func ask(_ client: FaasClient) async throws -> Answer<VersionLockRecord> {
            let algorithm = reference.algorithm
            return try await client.lock(
                owner: algorithm.owner,
                name: algorithm.name,
                version: reference.version ?? "latest"
            )
        }

        func text(_ lock: VersionLockRecord) -> String {
            let about = "# \(lock.name)/\(lock.version), built for \(lock.interpreter); environment \(lock.environment)"
            let lines = lock.requirements.split(separator: "\n").map { Terminal.printable(String($0)) }
            return ([Terminal.printable(about)] + lines).joined(separator: "\n") + "\n"
        }
    }

    struct Delete: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an algorithm with all its versions.",
            discussion: """
                There is no question and no way back; usage and charges stay recorded.

                EXAMPLE
                  faasctl algo delete anna/hello
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The algorithm, OWNER/NAME.", transform: AlgorithmName.init(parsing:)) var name: AlgorithmName

        func ask(_ client: FaasClient) async throws -> Answer<DeletedAlgorithm> {
            try await client.deleteAlgorithm(owner: name.owner, name: name.name)
        }

        func text(_ algorithm: DeletedAlgorithm) -> String { "deleted \(Terminal.printable(algorithm.name))\n" }
    }
}
