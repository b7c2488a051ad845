import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Testing

@testable import faasd

@Suite struct RequestTallyTests {
    private let slice = RequestTally.sliceBytes

    private func head(length: Int? = nil) -> HTTPRequestPart {
        var request = HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/")
        if let length { request.headerFields[.contentLength] = String(length) }
        return .head(request)
    }

    private func body(_ count: Int) -> HTTPRequestPart { .body(ByteBuffer(repeating: 0, count: count)) }

    private func tally(_ parts: HTTPRequestPart...) -> RequestTally {
        var tally = RequestTally()
        for part in parts { tally.read(part) }
        return tally
    }

    @Test func `a connection that asked nothing is parsed in slices`() {
        #expect(RequestTally().parsableBytes == slice)
    }

    @Test(arguments: [(999, 1), (1_000, 0)])
    func `a body of known length is let through to its end`(count: Int, left: Int) {
        let tally = tally(head(length: 1_000), body(count))
        #expect(tally.bodyBytesLeft == left && tally.parsableBytes == (left > 0 ? left : slice))
    }

    @Test func `a body in chunks is parsed in slices`() {
        #expect(tally(head(), body(70_000)).parsableBytes == slice)
    }

    @Test func `behind a whole request nothing is parsed until it is answered`() {
        var tally = tally(head(length: 1), body(1), .end(nil))
        #expect(tally.parsableBytes == 0)
        tally.answer()
        #expect(tally.parsableBytes == slice)
    }

    @Test func `a body that was sent ahead waits for its turn`() {
        var tally = tally(head(), .end(nil), head(length: 1_000))
        #expect(tally.unanswered == 2 && tally.parsableBytes == 0)
        tally.answer()
        #expect(tally.parsableBytes == 1_000)
    }

    @Test func `the rest of a body whose request is answered already goes on`() {
        var tally = tally(head(length: 1_000), body(10))
        tally.answer()
        #expect(tally.parsableBytes == 990)
    }

    @Test(arguments: ["-1", "x", "99999999999999999999"])
    func `a length that is none is no reason to parse more`(length: String) {
        var request = HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/")
        request.headerFields[.contentLength] = length
        #expect(tally(.head(request)).parsableBytes == slice)
    }

    @Test(arguments: [
        (ReadingPace.bytesMin - 1, false), (ReadingPace.bytesMin, true), (ReadingPace.bytesMin + 1, true),
    ])
    func `a client must take its share in each interval`(taken: Int, goesOn: Bool) {
        var pace = ReadingPace()
        pace.writtenBytes = 10 << 20
        pace.begin(unreadBytes: 5 << 20)
        #expect(pace.judge(unreadBytes: (5 << 20) - taken) == (goesOn ? .goesOn : .tooSlow))
        // What was taken before does not count again.
        if goesOn { #expect(pace.judge(unreadBytes: (5 << 20) - taken) == .tooSlow) }
    }

    @Test func `a client that has taken everything is done, however little it was`() {
        var pace = ReadingPace()
        pace.writtenBytes = 100
        pace.begin(unreadBytes: 100)
        #expect(pace.judge(unreadBytes: 0) == .done)
    }
}
