internal import ArgumentParser
internal import FaasClient

/// `faasctl user`.
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Users, who own algorithms and pay for calls.",
        discussion: "EXAMPLE\n  faasctl user create anna\n  faasctl user list",
        subcommands: [Create.self, List.self, Show.self]
    )

    struct Create: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a user.",
            discussion: """
                A name is a letter, then letters, digits and _, at most 30 characters. It is unique without regard to \
                case and never given to anyone else.

                EXAMPLE
                  faasctl user create anna
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The user's name.", transform: Names.user) var name: String

        func ask(_ client: FaasClient) async throws -> Answer<UserRecord> { try await client.createUser(name) }
        func text(_ user: UserRecord) -> String { "created user \(Terminal.printable(user.name))\n" }
    }

    struct List: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all users.",
            discussion: "EXAMPLE\n  faasctl user list --json"
        )
        @OptionGroup var connection: ConnectionOptions

        func ask(_ client: FaasClient) async throws -> Answer<Results<UserRecord>> { try await client.users() }

        func text(_ users: Results<UserRecord>) -> String {
            var table = TextTable(.text("NAME"), .text("CREATED"))
            for user in users.results { table.add(user.name, Display.instant(user.created)) }
            return table.rendered(empty: "no users yet: faasctl user create NAME")
        }
    }

    struct Show: QueryCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one user.",
            discussion: "EXAMPLE\n  faasctl user show anna"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The user's name.", transform: Names.user) var name: String

        func ask(_ client: FaasClient) async throws -> Answer<UserRecord> { try await client.user(name) }

        func text(_ user: UserRecord) -> String {
            var facts = FactList()
            facts.add("name", user.name)
            facts.add("created", Display.instant(user.created))
            return facts.rendered
        }
    }
}
