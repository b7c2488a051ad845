internal import Glibc

/// What is written to the two standard streams, at once and whole.
enum Output {
    /// Writes to standard output.
    static func write(_ text: String) { write(Array(text.utf8), isLineEnded: true) }

    /// Writes a document to standard output and ends its line.
    static func write(_ document: [UInt8]) { write(document, isLineEnded: document.last == UInt8(ascii: "\n")) }

    /// Writes bytes to standard output as they are.
    static func writeRaw(_ bytes: [UInt8]) { write(bytes, isLineEnded: true) }

    /// Writes a message to standard error, `faasctl: …`, without control characters.
    static func complain(_ message: String) {
        _ = writeAll(Array("faasctl: \(Terminal.printable(message, keepingLines: true))\n".utf8), to: STDERR_FILENO)
    }

    private static func write(_ bytes: [UInt8], isLineEnded: Bool) {
        let code = writeAll(isLineEnded ? bytes : bytes + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
        // A reader that has seen enough (head) is no failure; a full disk is, and must not look like success.
        guard code == 0 || code == EPIPE else {
            complain("standard output: \(String(cString: strerror(code)))")
            exit(ExitStatus.unreachable.rawValue)
        }
    }

    /// Writes all bytes; returns 0 or the error number.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno != EINTR { return errno }
                if count > 0 { rest = rest.dropFirst(count) }
            }
            return 0
        }
    }
}

/// The terminal, and what may be sent to it.
enum Terminal {
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var isInputTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Replaces control characters: a label or a message must not move the cursor or set colours.
    static func printable(_ text: String, keepingLines: Bool = false) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isKept = keepingLines && (scalar == "\n" || scalar == "\t")
            result.append(scalar.properties.generalCategory == .control && !isKept ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }
}
