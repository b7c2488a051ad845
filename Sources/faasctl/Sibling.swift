internal import Glibc

/// Another program of the same installation.
enum Sibling {
    /// Becomes another program; the exit status is that program's.
    ///
    /// - Parameters:
    ///   - name: looked for beside this program, then along `PATH`.
    ///   - arguments: without the program's name.
    /// - Returns: why it did not work; on success this process is the other program.
    static func replaceProcess(with name: String, _ arguments: [String]) -> CommandFailure {
        guard let path = path(of: name) else {
            return CommandFailure(.unreachable, "the program \(name) is neither beside faasctl nor in PATH")
        }
        var strings = ([path] + arguments).map { strdup($0) }
        defer { strings.forEach { free($0) } }
        strings.append(nil)
        execv(path, strings)
        return CommandFailure(.unreachable, "\(path) cannot be started: \(String(cString: strerror(errno)))")
    }

    /// Where a program is, or nil.
    static func path(of name: String) -> String? {
        let directories =
            [ownDirectory].compactMap(\.self) + (environment("PATH")?.split(separator: ":").map(String.init) ?? [])
        return directories.lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// The folder of this program.
    static var ownDirectory: String? {
        guard let resolved = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(resolved) }
        let path = String(cString: resolved)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
