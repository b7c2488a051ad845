import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// What a connection has asked for and was answered, and so how much more of it may be parsed: pure.
struct RequestTally: Sendable, Equatable {
    /// Most bytes that are parsed at once; a few dozen of the shortest requests.
    static let sliceBytes = 2 << 10

    /// Requests that are not answered yet; more than one when a client sends ahead.
    private(set) var unanswered = 0
    /// Whether the last request's body is not there yet.
    private(set) var isInBody = false
    /// What is still to come of that body by its announced length; 0 when it is sent in chunks.
    private(set) var bodyBytesLeft = 0

    /// How many bytes may be parsed now: none behind a whole request that is not answered, for a client that sends
    /// ahead waits in its own line, and a body of known length as it comes.
    var parsableBytes: Int {
        guard unanswered == 0 || unanswered == 1 && isInBody else { return 0 }
        return isInBody && bodyBytesLeft > 0 ? bodyBytesLeft : Self.sliceBytes
    }

    /// A part of a request was parsed.
    mutating func read(_ part: HTTPRequestPart) {
        switch part {
        case .head(let head):
            unanswered += 1
            isInBody = true
            bodyBytesLeft = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        case .body(let bytes): bodyBytesLeft = max(0, bodyBytesLeft - bytes.readableBytes)
        case .end:
            isInBody = false
            bodyBytesLeft = 0
        }
    }

    /// A whole request was taken without being parsed.
    mutating func take() { unanswered += 1 }

    /// The end of an answer was written.
    mutating func answer() { unanswered = max(0, unanswered - 1) }
}
