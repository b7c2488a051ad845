/// Verb `model`: random histories against the model; `--replay yes` runs one that was printed, from standard input.
///
/// A history that fails is shrunk and printed as a list of steps; the exit code is 4 then.
struct Modelling {
    private let seed: Int64
    private let first: Int64
    private let sequences: Int64
    private let stepsMax: Int64
    private let folder: String
    private let replay: [Step]?

    init(_ options: Options) throws {
        seed = try options.number("seed", or: 1)
        first = try options.number("first", or: 0)
        sequences = try options.number("sequences", or: 100)
        stepsMax = try options.number("steps", or: 200)
        folder = options.text("folder", or: "/dev/shm")
        guard options.text("replay", or: "no") == "yes" else {
            replay = nil
            return
        }
        var steps: [Step] = []
        while let line = readLine() {
            guard let step = Step(line) else { throw Options.Wrong(description: "no step: \(line)") }
            steps.append(step)
        }
        replay = steps
    }

    /// - Returns: the exit code; on success the answers have been printed, each kind with its count.
    func run() async throws -> Int32 {
        let tally = Tally()
        if let replay {
            return try await run(History(steps: replay, folder: folder), name: "the replay", isShrunk: true, tally)
        }
        for number in first..<first + sequences {
            // For a ledger that ends the process: the last line says in which history.
            Journal.standardError.write("history \(number) of seed \(seed)")
            var drawing = Drawing(seed: seed, stream: number)
            let history = History(steps: drawing.history(stepsMax: stepsMax), folder: folder)
            let code = try await run(history, name: "history \(number) of seed \(seed)", isShrunk: false, tally)
            guard code == 0 else { return code }
        }
        for (answer, count) in tally.counts.sorted(by: { $0.key < $1.key }) {
            Journal.standardOutput.write("\(count) \(answer)")
        }
        return 0
    }

    private func run(_ history: History, name: String, isShrunk: Bool, _ tally: Tally) async throws -> Int32 {
        let shortest: History
        do {
            guard try await history.run(answered: tally.note) != nil else { return 0 }
            shortest = isShrunk ? history : try await history.shrunk()
        } catch {
            shortest = isShrunk ? history : try await history.shrunk()
        }
        var said = "it no longer fails"
        do {
            said = try await shortest.run().map { "\($0)" } ?? said
        } catch {
            said = "\(error)"
        }
        Journal.standardOutput.write("\(name) fails \(said)")
        for step in shortest.steps { Journal.standardOutput.write("  \(step)") }
        return 4
    }
}

/// How often each kind of answer was given, so that nobody takes histories in which nothing happens for a proof.
private final class Tally {
    private(set) var counts: [String: Int] = [:]

    func note(_ step: Step, _ answer: String) {
        let words = answer.split(separator: " ").filter { word in word.allSatisfy { $0.isLetter } && word != "at" }
        counts["\(step.kind.rawValue): \(words.joined(separator: " "))", default: 0] += 1
    }
}
