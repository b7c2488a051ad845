import ArgumentParser
import Sandbox

/// `faasd serve`: the marketplace itself.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve algorithms until SIGTERM.",
        discussion: """
            Started as root, it starts faasd-spawner, the one privileged process, and becomes --user before it listens.
            Started by an ordinary user, it needs ids and control groups that were given to that user; faasd doctor
            says what is missing, and docs/configuration.md how to give it.
            On SIGTERM it takes no new calls, lets running ones finish or reach their deadline, and closes the ledger.

            Example: faasd serve --state-dir /var/lib/faasd --listen 127.0.0.1:8080 --user faasd
            """
    )

    @Option(help: "Where the ledger, the catalogue and the versions' files are kept. Made if missing.")
    var stateDir: String

    @Option(help: "The address to serve on, HOST:PORT.")
    var listen: String = "127.0.0.1:8080"

    @Option(
        help: "The user to become before listening, when started as root. Must exist and not be root. Default: faasd."
    )
    var user: String?

    @Option(help: "The folder with the runtimes. Default: Runtimes beside the program or its sources.")
    var runtimes: String?

    @Option(help: "A JSON file with prices and limits; see docs/configuration.md.")
    var config: String?

    @Flag(
        help: """
            Serve on a host that cannot limit memory, processes or CPU, for one user only: any code of theirs can take the \
            host down.
            """
    )
    var insecureSingleTenant = false

    func run() throws {
        let prepared: Startup.Prepared
        do {
            let address = try ListenAddress(listen)
            let configuration = try Configuration.load(path: config)
            prepared = try Startup.prepare(
                stateDirectory: stateDir,
                user: user,
                runtimes: runtimes,
                address: address,
                configuration: configuration,
                isSingleTenant: insecureSingleTenant
            )
        } catch {
            Console.complain("faasd: \(error)")
            throw ExitCode(1)
        }
        let code = Blocking.run { await Daemon.serve(prepared) }
        throw ExitCode(code)
    }
}
