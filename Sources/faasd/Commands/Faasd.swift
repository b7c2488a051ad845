import ArgumentParser

/// The daemon's own command line; administration is `faasctl`'s.
@main
struct Faasd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faasd",
        abstract: "An algorithm marketplace: runs strangers' code in sandboxes, meters every call, charges it once.",
        discussion: """
            Not the program of the same name from OpenFaaS.

            Start a marketplace:   faasd serve --state-dir /var/lib/faasd --listen 127.0.0.1:8080
            See what this host has: faasd doctor
            Check a ledger file:   faasd audit --database ledger.db
            """,
        subcommands: [ServeCommand.self, DoctorCommand.self, AuditCommand.self, LedgerCommand.self]
    )
}
