internal import FoundationEssentials

/// What the process says by its exit status.
enum ExitStatus: Int32, Sendable {
    /// It was done.
    case ok = 0
    /// The daemon, or a check before it was asked, said no.
    case refused = 1
    /// The daemon or a file could not be reached or read.
    case unreachable = 3
    /// An audit found differences.
    case differences = 4
    /// The command line itself is wrong (`EX_USAGE`).
    case usage = 64

    /// The kind of error in a JSON document, when the daemon named none.
    var errorType: String {
        switch self {
        case .ok, .refused: "RefusedError"
        case .unreachable: "UnreachableError"
        case .differences: "DifferencesError"
        case .usage: "UsageError"
        }
    }
}

/// Why a command ends without success.
struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the process says by its exit status.
    let status: ExitStatus
    /// What was wrong, and what to do about it.
    let message: String
    /// The kind of error.
    let errorType: String
    /// The daemon's own error document, if it sent one.
    let document: [UInt8]?
    /// Whether standard output has its JSON document already.
    let isDocumentWritten: Bool

    init(
        _ status: ExitStatus,
        _ message: String,
        errorType: String? = nil,
        document: [UInt8]? = nil,
        isDocumentWritten: Bool = false
    ) {
        self.status = status
        self.message = message
        self.errorType = errorType ?? status.errorType
        self.document = document
        self.isDocumentWritten = isDocumentWritten
    }

    var description: String { message }

    /// The one JSON document of a command that failed.
    var json: [UInt8] {
        if let document { return document }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let problem = ["error": ["message": message, "error_type": errorType]]
        // Strings always encode; an empty object would still be one document.
        return (try? Array(encoder.encode(problem))) ?? Array("{}".utf8)
    }
}
