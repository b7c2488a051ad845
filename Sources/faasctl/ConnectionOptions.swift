internal import ArgumentParser
internal import FaasClient
internal import FoundationEssentials

/// The options of every command: where the daemon is, and how to print.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's own Unix socket (or FAASD_SOCKET).", valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("The daemon's HTTP address (or FAASD_SERVER).", valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp("An API key (or FAASD_KEY, which other users of the machine do not see).", valueName: "key")
    )
    var key: String?

    @Flag(help: "Write exactly one JSON document to standard output.")
    var json = false

    func validate() throws {
        if socket != nil, server != nil { throw ValidationError("give --socket or --server, not both") }
    }

    /// Where a command connects to.
    struct Target: Equatable {
        let endpoint: Endpoint
        let key: String?
    }

    /// Combines the options with the environment: an option beats a variable, and a socket's variable beats a server's.
    ///
    /// - Throws: `ValidationError` when neither names a daemon, `ClientError.invalid` for a malformed one.
    func target(environment: [String: String]) throws -> Target {
        let variable = { (name: String) in environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let socketPath = socket ?? (server == nil ? variable("FAASD_SOCKET") : nil)
        if let socketPath {
            // The socket makes its peer administrator; a key from the environment would only take rights away.
            return Target(endpoint: try Endpoint(socketPath: socketPath), key: key)
        }
        guard let address = server ?? variable("FAASD_SERVER") else {
            throw CommandFailure(
                .usage,
                "which daemon? Give --socket PATH, or --server URL with --key KEY, or set FAASD_SOCKET or FAASD_SERVER"
            )
        }
        guard let key = key ?? variable("FAASD_KEY") else {
            throw CommandFailure(.usage, "--server needs a key: give --key KEY or set FAASD_KEY")
        }
        return Target(endpoint: try Endpoint(serverAddress: address), key: key)
    }

    /// Runs a closure with a client of the daemon.
    func withClient<Result>(_ body: (FaasClient) async throws -> Result) async throws -> Result {
        let target = try target(environment: ProcessInfo.processInfo.environment)
        return try await FaasClient.connected(to: target.endpoint, key: target.key, body)
    }
}

/// A command that asks the daemon one thing and prints the answer.
protocol QueryCommand: AsyncParsableCommand {
    associatedtype Value: Sendable

    var connection: ConnectionOptions { get }

    /// Asks.
    func ask(_ client: FaasClient) async throws -> Answer<Value>

    /// The answer for people, lines ended.
    func text(_ value: Value) -> String
}

extension QueryCommand {
    mutating func run() async throws {
        let command = self
        let answer = try await connection.withClient { try await command.ask($0) }
        if connection.json { Output.write(answer.document) } else { Output.write(text(answer.value)) }
    }
}
