internal import ArgumentParser
internal import FaasClient

/// How calls share workers.
enum IsolationName: String, CaseIterable, ExpressibleByArgument, Sendable {
    case caller
    case call
    case shared
}

/// How workers come to be.
enum StartName: String, CaseIterable, ExpressibleByArgument, Sendable {
    case fork
    case exec
    case template
}

/// Which part of a version's number counts up.
enum BumpName: String, CaseIterable, ExpressibleByArgument, Sendable {
    case major
    case minor
    case revision
}

/// `faasctl algo deploy`.
struct AlgoDeploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Deploy a directory of Python as a new version.",
        discussion: """
            The directory holds NAME.py or main.py with apply(input), and maybe requirements.txt. It is packed without \
            .git and __pycache__; the same files always make the same archive. Symbolic links are refused, as are \
            directories without any .py file or with more than 100 MiB.

            A repository published for Algorithmia (algorithmia.conf, src/NAME.py) is deployed as it is, and its \
            algorithmia.conf says the name unless --name does.

            Versions count up by themselves: 0.1.0, 0.2.0, …; --bump counts another part. Without --public only the \
            owner can call the version.

            Workers are forked from a process of the platform where there is one. With --start exec an interpreter is \
            executed for each, which takes some 30 ms, and nothing is shared with other boxes. With --start template \
            a caller's first worker loads the version, and its further ones are forked from that: they share what \
            load() made until they write to it, and /tmp, and see each other's processes. That does not go with \
            --isolation call.

            EXAMPLE
              faasctl algo deploy ./hello --name anna/hello --public --royalty 500
              git clone …/anna/hello.git && faasctl algo deploy hello
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "The directory.")
    var dir: String

    @Option(
        help: ArgumentHelp("The algorithm (default: what algorithmia.conf says).", valueName: "owner/name"),
        transform: AlgorithmName.init(parsing:)
    )
    var name: AlgorithmName?

    @Flag(name: .customLong("public"), help: "Let anyone call this version.")
    var isPublic = false

    @Option(help: ArgumentHelp("What the owner gets for a call, in microcredits.", valueName: "microcredits"))
    var royalty: Int64?

    @Option(help: ArgumentHelp("Memory of a worker: 16 to 16384 MiB (default 512).", valueName: "MiB"))
    var memory: Int?

    @Option(help: ArgumentHelp("Processors of a worker: 1 to 16 (default 1).", valueName: "n"))
    var cpus: Int?

    @Option(help: ArgumentHelp("Time of a call: 1 to 3000 seconds (default 300).", valueName: "s"))
    var timeout: Int?

    @Option(help: "Whose calls may share a worker: one caller's, none, or everyone's (default caller).")
    var isolation: IsolationName?

    @Option(help: "How workers come to be: forked, executed, or forked from a loaded one (default fork).")
    var start: StartName?

    @Option(help: "Which part of the version's number counts up: major, minor or revision (default minor).")
    var bump: BumpName?

    func validate() throws {
        try Self.check("--royalty", royalty, in: 0...((1 << 53) - 1), unit: "microcredits")
        try Self.check("--memory", memory.map(Int64.init), in: 16...16_384, unit: "MiB")
        try Self.check("--cpus", cpus.map(Int64.init), in: 1...16, unit: "processors")
        try Self.check("--timeout", timeout.map(Int64.init), in: 1...3_000, unit: "seconds")
        guard isolation != .call || start != .template else {
            throw ValidationError(
                "--start template is refused: it must be fork or exec with --isolation call, "
                    + "as no two of its calls may share a process's memory"
            )
        }
    }

    mutating func run() async throws {
        let command = self
        let tree = try SourceTree(scanning: dir)
        let name = try name ?? PublishedConfiguration(in: dir).algorithm
        let answer = try await Progress.during("packing \(dir)") { progress in
            let archive = try await tree.archive()
            progress.enter("uploading \(Display.size(archive.count))")
            return try await command.upload(archive, to: name, progress)
        }
        if connection.json {
            Output.write(answer.document)
        } else {
            Output.write(Self.text(answer.value))
        }
    }

    var options: DeployOptions {
        var options = DeployOptions()
        options.isPublic = isPublic
        options.royaltyMicrocredits = royalty
        options.memoryMebibytes = memory
        options.cpus = cpus
        options.timeoutSeconds = timeout
        options.isolation = isolation?.rawValue
        options.start = start?.rawValue
        options.bump = bump?.rawValue
        return options
    }

    private func upload(
        _ archive: [UInt8],
        to name: AlgorithmName,
        _ progress: Progress
    ) async throws -> Answer<Deployed> {
        try await connection.withClient { client in
            try await client.deploy(owner: name.owner, name: name.name, archive: archive, options: options) {
                progress.enter("installing and checking \(name)")
            }
        }
    }

    private static func text(_ version: Deployed) -> String {
        var facts = FactList()
        facts.add("deployed", "\(version.name)/\(version.version)")
        facts.add("hash", version.hash)
        facts.add("runtime", version.runtime)
        if let environment = version.environment { facts.add("environment", environment) }
        return facts.rendered
    }

    private static func check(_ option: String, _ value: Int64?, in range: ClosedRange<Int64>, unit: String) throws {
        guard let value, !range.contains(value) else { return }
        throw ValidationError(
            "\(option) \(value) is refused: it must be \(range.lowerBound) to \(range.upperBound) \(unit)"
        )
    }
}
