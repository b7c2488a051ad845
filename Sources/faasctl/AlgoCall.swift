internal import ArgumentParser
internal import FaasClient
internal import Glibc

/// `faasctl algo call`.
struct AlgoCall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call an algorithm and print its result.",
        discussion: """
            The input is text (--data), a JSON document (--json-data), a file, or standard input. A file is JSON or text \
            if its name ends in .json or .txt, else bytes; standard input is text if it is UTF-8, else bytes. \
            At most 10 MiB.

            EXAMPLE
              faasctl algo call anna/hello --data HAL --account bert
              echo '[1, 2, 3]' | faasctl algo call anna/sum/0.1.x --json
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(
        help: ArgumentHelp("The algorithm, and maybe a version.", valueName: "owner/name[/version]"),
        transform: AlgorithmReference.init(parsing:)
    )
    var algorithm: AlgorithmReference

    @Option(help: ArgumentHelp("Send this text.", valueName: "text"))
    var data: String?

    @Option(help: ArgumentHelp("Send this JSON document.", valueName: "json"))
    var jsonData: String?

    @Option(help: ArgumentHelp("Send this file.", valueName: "path"))
    var file: String?

    @Option(help: ArgumentHelp("Time of the call: 1 to 3000 seconds (default: the version's).", valueName: "s"))
    var timeout: Int?

    @Flag(help: "Print the bare result exactly as it comes, nothing added.")
    var raw = false

    @Option(help: ArgumentHelp("Who pays; over the socket only.", valueName: "name"), transform: Names.user)
    var account: String?

    func validate() throws {
        if [data, jsonData, file].compactMap(\.self).count > 1 {
            throw ValidationError("give one of --data, --json-data and --file")
        }
        if raw, connection.json { throw ValidationError("give --raw or --json, not both") }
        if let timeout, !ClientLimits.callSeconds.contains(timeout) {
            throw ValidationError("--timeout \(timeout) is refused: it must be 1 to 3000 seconds")
        }
        if account != nil, connection.server != nil {
            throw ValidationError("--account works over the socket only: over --server the key's user pays")
        }
        if let jsonData { try CallSource.checkJSON(jsonData) }
    }

    mutating func run() async throws {
        let command = self
        let input = try source.read()
        if raw {
            let result = try await waiting { try await $0.callRaw(command.target, input) }
            return Output.writeRaw(result)
        }
        let answer = try await waiting { try await $0.call(command.target, input) }
        if connection.json { Output.write(answer.document) }
        switch answer.value {
        case .result(let output): if !connection.json { Self.print(output) }
        case .failed(let failure): throw CommandFailure(failure, of: algorithm)
        }
    }

    var target: CallTarget {
        var target = CallTarget(owner: algorithm.algorithm.owner, name: algorithm.algorithm.name)
        target.version = algorithm.version
        target.timeoutSeconds = timeout
        target.account = account
        return target
    }

    private var source: CallSource {
        if let data { return .text(data) }
        if let jsonData { return .json(jsonData) }
        return file.map { .file($0) } ?? .standardInput
    }

    private func waiting<Result>(_ body: (FaasClient) async throws -> Result) async throws -> Result {
        try await Progress.during("calling \(algorithm)") { _ in try await connection.withClient(body) }
    }

    private static func print(_ output: CallOutput) {
        switch output {
        case .text(let bytes), .json(let bytes): Output.write(bytes)
        case .binary(let bytes): Output.writeRaw(bytes)
        }
    }
}

extension CommandFailure {
    fileprivate init(_ failure: CallFailure, of algorithm: AlgorithmReference) {
        let kind = failure.errorType.map { " (\($0))" } ?? ""
        // The stack trace often is the message again.
        let trace = failure.stacktrace.flatMap { $0.isEmpty || $0 == failure.message ? nil : "\n\($0)" } ?? ""
        self.init(
            .refused,
            "\(algorithm): \(failure.message)\(kind)\(trace)",
            errorType: failure.errorType,
            isDocumentWritten: true
        )
    }
}
