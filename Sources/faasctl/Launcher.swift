internal import ArgumentParser
internal import FaasClient
internal import Glibc

/// Runs one command line and turns whatever happens into output and an exit status.
enum Launcher {
    /// Parses and runs a command line.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: the exit status.
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try Faasctl.parseAsRoot(withNegativeAmountLast(arguments))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ExitStatus.ok.rawValue
        } catch {
            return report(error, asJSON: arguments.contains("--json"))
        }
    }

    /// Lets `credit adjust anna -12.5 --reason …` be written as it reads: no option of ours is a number, but the parser
    /// would take the amount for one, unless it comes last and after `--`.
    static func withNegativeAmountLast(_ arguments: [String]) -> [String] {
        guard let verb = arguments.firstIndex(of: "adjust"), !arguments.contains("--") else { return arguments }
        let rest = arguments[verb...]
        guard let place = rest.firstIndex(where: { $0.prefixMatch(of: /-[0-9.]/) != nil }) else { return arguments }
        // The value of an option stays where it is.
        let before = arguments[place - 1]
        guard !before.hasPrefix("--") || before == "--json" else { return arguments }
        return Array(arguments[..<place] + arguments[(place + 1)...]) + ["--", arguments[place]]
    }

    static func exit(with status: Int32) -> Never { Glibc.exit(status) }

    private static func report(_ error: any Error, asJSON: Bool) -> Int32 {
        guard let failure = CommandFailure(reporting: error) else {
            // Help and version are "errors" too: the parser's way to leave early.
            Output.write(Faasctl.fullMessage(for: error) + "\n")
            return ExitStatus.ok.rawValue
        }
        Output.complain(failure.message)
        if asJSON, !failure.isDocumentWritten { Output.write(failure.json) }
        return failure.status.rawValue
    }
}

extension CommandFailure {
    /// Classifies any error; nil for the parser's clean exits.
    init?(reporting error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as ClientError: self.init(error)
        default:
            guard Faasctl.exitCode(for: error) != .success else { return nil }
            let text = Faasctl.fullMessage(for: error)
            let prefix = "Error: "
            self.init(.usage, text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text)
        }
    }

    private init(_ error: ClientError) {
        switch error {
        case .invalid: self.init(.usage, error.description)
        case .refused(let refusal):
            self.init(.refused, error.description, errorType: refusal.errorType, document: refusal.document)
        case .unreachable, .unreadable: self.init(.unreachable, error.description)
        }
    }
}
