import ArgumentParser
import Sandbox

/// `faasd doctor`: what this host has, what is missing, and what to do about it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say whether this host can run sandboxes, and what is missing.",
        discussion: """
            Exit status: 0 when everything needed is there, 1 otherwise.

            Example: sudo faasd doctor
            """
    )

    @Option(help: "The folder with the runtimes.")
    var runtimes: String?

    @Flag(help: "Print one JSON document.")
    var json = false

    func run() throws {
        let findings = Doctor.examine(runtimes: runtimes)
        if json {
            print(try Console.json(findings))
        } else {
            for finding in findings {
                print("\(finding.verdict.padded(to: 8)) \(finding.subject.padded(to: 16)) \(finding.detail)")
                if let remedy = finding.remedy { print("\("".padded(to: 25)) → \(remedy)") }
            }
        }
        throw ExitCode(findings.contains { $0.verdict == "missing" } ? 1 : 0)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
