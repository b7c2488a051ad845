import Foundation

/// What a figure was measured on: without it, figures cannot be compared.
enum Machine {
    /// Processor, cores, load and commit, in one line.
    static var text: String {
        let model =
            line(of: "/proc/cpuinfo", beginning: "model name")?.split(separator: ":").last ?? "unknown processor"
        let load = line(of: "/proc/loadavg", beginning: "")?.split(separator: " ").first ?? "?"
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return "\(model.trimmingCharacters(in: .whitespaces)), \(cores) cores, load \(load), commit \(commit)"
    }

    private static func line(of path: String, beginning prefix: String) -> Substring? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix(prefix) }
    }

    private static var commit: String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/git")
        process.arguments = ["describe", "--always", "--dirty"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return "unknown" }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : "unknown"
    }
}
