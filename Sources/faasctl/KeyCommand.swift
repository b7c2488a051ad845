internal import ArgumentParser
internal import FaasClient

/// What a key may do.
enum KeyKindName: String, CaseIterable, ExpressibleByArgument, Sendable {
    case algorithm
    case management
    case admin
}

/// `faasctl key`.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "API keys, with which users call and deploy.",
        discussion: "EXAMPLE\n  faasctl key create --user anna --kind algorithm\n  faasctl key list --user anna",
        subcommands: [Create.self, List.self, Revoke.self]
    )

    struct Create: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a key; its secret is shown this once.",
            discussion: """
                An algorithm key calls, a management key also deploys for its user, an admin key administers the daemon. \
                The daemon keeps a hash of the secret only: a lost key is replaced, not recovered.

                EXAMPLE
                  faasctl key create --user anna --kind management --label laptop
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("The user it acts for.", valueName: "name"), transform: Names.user) var user: String
        @Option(help: "What it may do.") var kind: KeyKindName
        @Option(help: ArgumentHelp("A note, to tell it from others.", valueName: "text")) var label: String?

        func ask(_ client: FaasClient) async throws -> Answer<CreatedKey> {
            try await client.createKey(user: user, kind: kind.rawValue, label: label)
        }

        func text(_ key: CreatedKey) -> String {
            var facts = FactList()
            facts.add("id", key.id)
            facts.add("kind", key.kind)
            facts.add("key", key.key)
            return facts.rendered + "The key is not shown again: keep it now.\n"
        }
    }

    struct List: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "List keys, without their secrets.",
            discussion: "EXAMPLE\n  faasctl key list --user anna"
        )
        @OptionGroup var connection: ConnectionOptions
        @Option(help: ArgumentHelp("Keys of this user only.", valueName: "name"), transform: Names.user)
        var user: String?

        func ask(_ client: FaasClient) async throws -> Answer<Results<KeyRecord>> { try await client.keys(user: user) }

        func text(_ keys: Results<KeyRecord>) -> String {
            var table = TextTable(
                .text("ID"),
                .text("USER"),
                .text("KIND"),
                .text("KEY"),
                .text("LABEL"),
                .text("CREATED"),
                .text("REVOKED")
            )
            for key in keys.results {
                let revoked = Display.yesNo(key.revoked)
                let created = Display.instant(key.created)
                table.add(key.id, key.user, key.kind, key.mask, key.label ?? "", created, revoked)
            }
            return table.rendered(empty: "no keys yet: faasctl key create --user NAME --kind KIND")
        }
    }

    struct Revoke: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a key for good.",
            discussion: "EXAMPLE\n  faasctl key revoke key_abcdefghijkl"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The key's id, not its secret.", transform: Names.keyID) var id: String

        func ask(_ client: FaasClient) async throws -> Answer<RevokedKey> { try await client.revokeKey(id) }
        func text(_ key: RevokedKey) -> String { "revoked key \(Terminal.printable(key.id))\n" }
    }
}
