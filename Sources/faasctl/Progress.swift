internal import Glibc
internal import Synchronization

/// Shows a person what long work is doing: a turning mark, the stage and the time, in one line of standard error.
///
/// Nothing is shown when standard error is no terminal, or when the work is over in half a second.
final class Progress: Sendable {
    private let stage: Mutex<String>
    private let start = ContinuousClock.now

    private init(_ stage: String) { self.stage = Mutex(stage) }

    /// Runs work that may take long.
    ///
    /// - Parameters:
    ///   - stage: what it does first.
    ///   - body: the work; it may call ``enter(_:)``.
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw.
    static func during<Result>(
        _ stage: String,
        _ body: (Progress) async throws -> Result
    ) async throws -> Result {
        let progress = Progress(stage)
        guard Terminal.isErrorTerminal else { return try await body(progress) }
        // Cancelled and awaited when this function ends, so the line is gone before anything else is written.
        async let _: Void = progress.draw()
        return try await body(progress)
    }

    /// Names what the work does from now on.
    func enter(_ stage: String) { self.stage.withLock { $0 = stage } }

    /// The line at a moment, without its control characters.
    static func line(frame: Int, stage: String, elapsedSeconds: Int64) -> String {
        let marks = ["|", "/", "-", "\\"]
        let seconds = elapsedSeconds % 60
        return "\(marks[frame % marks.count]) \(stage) \(elapsedSeconds / 60):\(seconds < 10 ? "0" : "")\(seconds)"
    }

    private func draw() async {
        try? await Task.sleep(for: .milliseconds(500))
        var frame = 0
        while !Task.isCancelled {
            let elapsed = (ContinuousClock.now - start).components.seconds
            let line = Self.line(frame: frame, stage: stage.withLock { $0 }, elapsedSeconds: elapsed)
            show("\r\u{1B}[K" + Terminal.printable(line))
            frame += 1
            try? await Task.sleep(for: .milliseconds(120))
        }
        if frame > 0 { show("\r\u{1B}[K") }
    }

    private func show(_ text: String) { _ = Output.writeAll(Array(text.utf8), to: STDERR_FILENO) }
}
