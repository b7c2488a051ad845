import Billing
import Foundation

/// `ledger-bench [ROW …] [--seconds N] [--rate N] [--folder PATH]`: how fast the ledger is, on this machine.
///
/// Every row opens a real ledger in a new folder and uses its public interface; the folder is removed afterwards.
@main
enum LedgerBench {
    static let rows: [(name: String, run: @Sendable (Options) async throws -> String)] = [
        ("fsync", { try DiskRow.run($0) }),
        ("memory", { try await ChargeRow(mode: .memory).run($0) }),
        ("key", { try await ChargeRow(mode: .key).run($0) }),
        ("durable", { try await ChargeRow(mode: .durable).run($0) }),
        ("closed", { try await ClosedRow().run($0) }),
        ("recover", { try await RecoverRow.run($0) }),
    ]

    static func main() async throws {
        let options = try Options(CommandLine.arguments.dropFirst())
        for row in rows where options.rows.isEmpty || options.rows.contains(row.name) {
            print("\(row.name): \(try await row.run(options))")
        }
    }
}

/// What the command line asks for.
struct Options {
    var rows: [String] = []
    var seconds = 10
    var rate = 20_000
    var tasks = 1000
    var folder = NSTemporaryDirectory()

    init(_ arguments: some Sequence<String>) throws {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                rows.append(argument)
                continue
            }
            guard let value = rest.popFirst() else { throw Usage(argument: argument) }
            switch argument {
            case "--seconds": seconds = try Self.number(value, argument)
            case "--rate": rate = try Self.number(value, argument)
            case "--tasks": tasks = try Self.number(value, argument)
            case "--folder": folder = value
            default: throw Usage(argument: argument)
            }
        }
    }

    private static func number(_ text: String, _ argument: String) throws -> Int {
        guard let number = Int(text), number > 0 else { throw Usage(argument: "\(argument) \(text)") }
        return number
    }
}

/// An argument that nobody understands.
struct Usage: Error, CustomStringConvertible {
    let argument: String

    var description: String { "\(argument) is not understood; ROW … --seconds N --rate N --tasks N --folder PATH" }
}
