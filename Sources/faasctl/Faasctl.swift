internal import ArgumentParser

/// The command line of faasd.
@main
struct Faasctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faasctl",
        abstract: "Manages a faasd: users, keys, accounts, credit, algorithms, quotas, usage, audits.",
        discussion: """
            The daemon is found by --socket PATH (its own socket, as root or the daemon's user) or by --server URL with \
            --key KEY. FAASD_SOCKET, FAASD_SERVER and FAASD_KEY stand in for them; a key in the environment is not seen \
            by other users of the machine, one on the command line is.

            Exit status: 0 done, 1 refused, 3 unreachable or unreadable, 4 differences found, 64 wrong usage.
            With --json exactly one JSON document is written to standard output, also when the command fails.

            EXAMPLE
              export FAASD_SOCKET=/var/lib/faasd/faasd.sock
              faasctl user create anna
              faasctl credit top-up anna 100 --ref invoice-17
              faasctl algo deploy ./hello --name anna/hello --public
              faasctl algo call anna/hello --data HAL --account anna
            """,
        subcommands: [
            UserCommand.self, KeyCommand.self, AccountCommand.self, CreditCommand.self, HoldCommand.self,
            AlgoCommand.self, QuotaCommand.self, UsageCommand.self, AuditCommand.self, LedgerCommand.self,
            SelfTest.self,
        ]
    )

    /// Accepted before the verb as well; each command has them, and is given what was written here.
    @OptionGroup var connection: ConnectionOptions

    static func main() async {
        await Launcher.exit(with: Launcher.run(Array(CommandLine.arguments.dropFirst())))
    }
}
