import Billing

/// Verb `check`: for each line of standard input, a folder, opens its ledger as the daemon would, audits it, and answers
/// in one line: `clean`, or what is wrong.
struct Checking {
    private let prices: PriceBook

    init(_ options: Options) throws {
        prices = .standard
    }

    func run() {
        // SQL in an error may be of many lines, and one line is one answer.
        while let folder = readLine() {
            Journal.standardOutput.write(answer(folder).split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }

    private func answer(_ folder: String) -> String {
        let path = folder + "/ledger.db"
        do {
            let ledger = try Ledger(path: path, prices: prices, onPoison: { _ in })
            defer { ledger.close() }
            let report = try Ledger.audit(path: path)
            guard report.ok else {
                return report.violations.map { "\($0.check): \($0.detail)" }.joined(separator: "; ")
            }
            return "clean"
        } catch {
            return "\(error)"
        }
    }
}
