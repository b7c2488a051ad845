internal import Foundation
internal import Glibc

/// A helper program, run to its end with bounded output.
struct Tool: Sendable {
    /// What a program left behind.
    struct Output: Sendable {
        /// Its exit status, or 128 and the number of the signal that ended it.
        let status: Int32
        /// Its standard output; one byte more than the bound when there was more.
        let bytes: [UInt8]
        /// The first 64 KiB of its standard error.
        let errors: String
    }

    let path: String
    let arguments: [String]
    var environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C"]

    /// Runs the program.
    ///
    /// - Parameters:
    ///   - input: its standard input.
    ///   - outputBytesMax: a longer output ends the program.
    /// - Returns: its status and what it wrote.
    /// - Throws: `CommandFailure` when it cannot be started.
    func run(input: [UInt8], outputBytesMax: Int) async throws(CommandFailure) -> Output {
        let stdin = try Self.temporaryFile(holding: input)
        let stderr = try Self.temporaryFile(holding: [])
        let stdout = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        // A stream, because the program may end before anybody waits. `waitUntilExit` would poll every 50 ms.
        let (ends, end) = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { ended in
            end.yield(ended.terminationReason == .exit ? ended.terminationStatus : 128 + ended.terminationStatus)
            end.finish()
        }
        do { try process.run() } catch { throw CommandFailure(.unreachable, "\(path) cannot be started: \(error)") }
        let bytes = await Self.drain(stdout, bytesMax: outputBytesMax)
        if bytes.count > outputBytesMax { process.terminate() }
        var status: Int32 = 0
        for await ended in ends { status = ended }
        return Output(status: bytes.count > outputBytesMax ? 0 : status, bytes: bytes, errors: Self.text(of: stderr))
    }

    /// Reads to the end, or one byte past the bound, on a thread of its own: `read` blocks.
    private static func drain(_ pipe: Pipe, bytesMax: Int) async -> [UInt8] {
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        let bytes = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: readAll(descriptor, bytesMax: bytesMax)) }
        }
        // The pipe must live until here: its end closes the descriptor.
        return withExtendedLifetime(pipe) { bytes }
    }

    private static func readAll(_ descriptor: Int32, bytesMax: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= bytesMax {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer.prefix(min(count, bytesMax + 1 - bytes.count))
        }
        return bytes
    }

    /// A file without a name, read from its beginning; it is gone with its descriptor.
    private static func temporaryFile(holding bytes: [UInt8]) throws(CommandFailure) -> FileHandle {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(directory)/faasctl-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw CommandFailure(.unreachable, "no temporary file in \(directory): \(String(cString: strerror(errno)))")
        }
        // Not in one step: `mkostemp` is invisible to Swift. Nothing else in this process starts programs.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let code = faasctl.Output.writeAll(bytes, to: descriptor)
        guard code == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw CommandFailure(.unreachable, "temporary file in \(directory): \(String(cString: strerror(code)))")
        }
        return handle
    }

    private static func text(of file: FileHandle) -> String {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = buffer.withUnsafeMutableBytes { pread(file.fileDescriptor, $0.baseAddress, $0.count, 0) }
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }
}
