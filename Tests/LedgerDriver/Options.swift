/// What the driver was asked: a verb, and options of the form `--name value`.
struct Options: Sendable {
    let verb: String
    private let values: [String: String]

    struct Wrong: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter arguments: of the process, without its name.
    /// - Throws: `Wrong` naming the option.
    init(_ arguments: [String]) throws(Wrong) {
        verb = arguments.first ?? ""
        var values: [String: String] = [:]
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else { throw Wrong(description: "option \(name)") }
            values[String(name.dropFirst(2))] = value
        }
        self.values = values
    }

    func text(_ name: String) throws(Wrong) -> String {
        guard let value = values[name] else { throw Wrong(description: "--\(name) is missing") }
        return value
    }

    func text(_ name: String, or standard: String) -> String { values[name] ?? standard }

    func number(_ name: String, or standard: Int64) throws(Wrong) -> Int64 {
        guard let value = values[name] else { return standard }
        guard let number = Int64(value) else { throw Wrong(description: "--\(name) \(value) is no number") }
        return number
    }

    /// Numbers separated by commas; none when the option is missing.
    func numbers(_ name: String) throws(Wrong) -> [Int64] {
        guard let text = values[name] else { return [] }
        let numbers = text.split(separator: ",").compactMap { Int64($0) }
        guard numbers.count == text.split(separator: ",", omittingEmptySubsequences: false).count else {
            throw Wrong(description: "--\(name) \(text): numbers separated by commas")
        }
        return numbers
    }
}
