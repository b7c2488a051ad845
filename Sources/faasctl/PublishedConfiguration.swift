internal import FoundationEssentials

/// What `algorithmia.conf` of a published repository says of its algorithm.
struct PublishedConfiguration: Sendable, Equatable {
    static let fileName = "algorithmia.conf"
    static let bytesMax = 64 << 10

    /// The algorithm it was published as.
    let algorithm: AlgorithmName

    private struct File: Decodable {
        var username: String
        var algoname: String
    }

    /// Reads the file of a directory.
    ///
    /// - Throws: `CommandFailure` with status `.usage` that says how to name the algorithm otherwise.
    init(in directory: String) throws(CommandFailure) {
        let path = "\(directory)/\(Self.fileName)"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, "--name OWNER/NAME is missing, and there is no \(path) that says it")
        }
        guard data.count <= Self.bytesMax, let file = try? JSONDecoder().decode(File.self, from: data) else {
            throw CommandFailure(.usage, "\(path) is not JSON with username and algoname: give --name OWNER/NAME")
        }
        do {
            algorithm = try AlgorithmName(parsing: "\(file.username)/\(file.algoname)")
        } catch {
            let name = Terminal.printable("\(file.username)/\(file.algoname)")
            throw CommandFailure(.usage, "\(path) says \(name), and \(error): give --name OWNER/NAME")
        }
    }
}
