import Billing
import Glibc

/// Drives a ledger for the tests in `Tests/Ledger`.
///
/// Exit codes: 0 done, 64 a wrong option, 66 the ledger cannot be opened, 74 a commit failed (as the daemon says it),
/// 75 a commit failed and a caller was never answered, 1 everything else.
@main struct Driver {
    static func main() async {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            switch options.verb {
            case "charge": exit(try await Charging(options).run())
            case "check": try Checking(options).run()
            case "model": exit(try await Modelling(options).run())
            default: throw Options.Wrong(description: "verbs: charge, check, model; not \"\(options.verb)\"")
            }
        } catch let error as Options.Wrong {
            fail(64, "\(error)")
        } catch let error as LedgerError where error.kind == .open {
            fail(66, "\(error)")
        } catch {
            fail(1, "\(error)")
        }
    }

    private static func fail(_ code: Int32, _ message: String) -> Never {
        Journal.standardError.write("ledger-driver: \(message)")
        exit(code)
    }
}
