internal import ArgumentParser
internal import FaasClient

/// The options of every change of an account.
struct ChangeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Why, for the record.", valueName: "text"), transform: Names.reason)
    var reason: String?
    @Option(
        help: ArgumentHelp(
            "Only if the account is at this revision (account show): nobody else's change is overwritten.",
            valueName: "n"
        ),
        transform: Names.revision
    )
    var ifRev: Int64?
}

/// A command that changes an account and shows it.
protocol AccountChangeCommand: QueryCommand where Value == AccountRecord {
    var name: String { get }
    var options: ChangeOptions { get }
    var change: AccountChange { get }
}

extension AccountChangeCommand {
    func ask(_ client: FaasClient) async throws -> Answer<AccountRecord> {
        try await client.change(name, change, reason: options.reason, ifRevision: options.ifRev)
    }

    func text(_ account: AccountRecord) -> String { account.rendered }
}

extension AccountCommand {
    struct Freeze: AccountChangeCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let an account make no new calls, until it is unfrozen.",
            discussion: """
                Calls that run finish and are charged; money still comes in.

                EXAMPLE
                  faasctl account freeze anna --reason 'card stolen'
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @OptionGroup var options: ChangeOptions
        var change: AccountChange { .freeze }
    }

    struct Unfreeze: AccountChangeCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a frozen account make calls again.",
            discussion: "EXAMPLE\n  faasctl account unfreeze anna --reason 'card replaced'"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @OptionGroup var options: ChangeOptions
        var change: AccountChange { .unfreeze }
    }

    struct Close: AccountChangeCommand {
        static let configuration = CommandConfiguration(
            abstract: "Close an account for ever: no calls, no money.",
            discussion: """
                Only an account without credit and without debt is closed: correct it to 0 first (credit adjust).

                EXAMPLE
                  faasctl account close anna --reason 'left us' --if-rev 3
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @OptionGroup var options: ChangeOptions
        var change: AccountChange { .close }
    }

    struct SetOverdraft: AccountChangeCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-overdraft",
            abstract: "Set how far an account's credit may fall below zero.",
            discussion: """
                0 takes the line away. It cannot be set to less than what is owed already.

                EXAMPLE
                  faasctl account set-overdraft anna 50 --reason 'pays monthly'
                """
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The account.", transform: Names.user) var name: String
        @Argument(help: "How far: a decimal number with at most 6 places.", transform: CreditLine.init(parsing:))
        var credits: CreditLine
        @OptionGroup var options: ChangeOptions
        var change: AccountChange { .overdraft(credits.text) }
    }
}
