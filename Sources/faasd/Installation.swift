import Foundation

/// Where the parts of an installation lie.
enum Installation {
    /// The folder of the running program.
    static var programFolder: String {
        let path =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// The spawner lies beside the daemon.
    static var spawnerPath: String { programFolder + "/faasd-spawner" }

    /// And so does what an ordinary user starts it with.
    static var launcherPath: String { programFolder + "/faasd-userns" }

    /// The library that zygotes load.
    static var zygoteLibraryPath: String { programFolder + "/libfaasd-zygote.so" }

    static func isExecutable(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// The folder with `python/worker.py`: as named, else beside the program, else in the sources above it.
    ///
    /// - Throws: `StartupError` that lists where it looked.
    static func runtimes(_ named: String?) throws(StartupError) -> String {
        var candidates: [String] = []
        if let named {
            candidates = [absolute(named)]
        } else {
            candidates = [programFolder + "/../share/faasd/Runtimes"]
            var folder = URL(fileURLWithPath: programFolder)
            for _ in 0..<5 {
                candidates.append(folder.appendingPathComponent("Runtimes").path)
                folder.deleteLastPathComponent()
            }
        }
        for candidate in candidates where FileManager.default.fileExists(atPath: candidate + "/python/worker.py") {
            return URL(fileURLWithPath: candidate).standardizedFileURL.path
        }
        throw StartupError(
            "no Runtimes/python/worker.py in \(candidates.joined(separator: ", ")); name the folder with --runtimes"
        )
    }

    /// A path that no longer depends on the working directory.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
