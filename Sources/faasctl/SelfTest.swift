internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc

/// `faasctl selftest`.
struct SelfTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Attack a daemon of its own with every attack we know, and print what came of it.",
        discussion: """
            Starts a daemon beside any that runs, on a port and in a state directory of its own, attacks it, judges from \
            outside, and removes everything again. Takes a few minutes. Must be root.

            Exit status: 0 when every attack was held, 1 when one escaped.

            EXAMPLE
              sudo faasctl selftest
              sudo faasctl selftest --only PR1,NW2 --json
            """
    )

    @Option(help: ArgumentHelp("Run these attacks only, by their ids.", valueName: "id,…"))
    var only: String?

    @Option(help: ArgumentHelp("Write the table of results to this file.", valueName: "file"))
    var write: String?

    /// For `--json`; no running daemon is asked anything.
    @OptionGroup var connection: ConnectionOptions

    func run() throws {
        guard geteuid() == 0 else { throw CommandFailure(.usage, "selftest starts a daemon, and so must be root") }
        guard let faasd = Sibling.path(of: "faasd"), let corpus = Self.corpus() else {
            throw CommandFailure(.unreachable, "faasd or the folder Attacks is not part of this installation")
        }
        setenv("FAASD_BIN", String(faasd.dropLast("/faasd".count)), 1)
        throw Sibling.replaceProcess(with: "python3", ["-B", corpus] + arguments)
    }

    var arguments: [String] {
        (only.map { ["--only", $0] } ?? []) + (write.map { ["--write", $0] } ?? [])
            + (connection.json ? ["--json"] : [])
    }

    /// The corpus of an installation is in `../share/faasd` from the program, that of a clone in a folder above it.
    private static func corpus() -> String? {
        guard var folder = Sibling.ownDirectory else { return nil }
        let file = "/Attacks/selftest.py"
        if access(folder + "/../share/faasd" + file, R_OK) == 0 { return folder + "/../share/faasd" + file }
        while !folder.isEmpty {
            if access(folder + file, R_OK) == 0 { return folder + file }
            folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
        }
        return nil
    }
}
