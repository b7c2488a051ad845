import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Testing

@testable import faasd

@Suite struct RequestBoundaryTests {
    /// A connection whose parser is played by the test: it knows where heads and bodies end.
    private struct Connection {
        var boundary = RequestBoundary()
        var tally = RequestTally()
        private(set) var slices: [Int] = []

        /// Passes all of some bytes on, in slices as the gate does; `parsed` says what the parser makes of each place.
        mutating func pass(_ text: String, parsed: [Int: [HTTPRequestPart]]) {
            var rest = Array(text.utf8)[...]
            var place = 0
            while !rest.isEmpty {
                let count = Array(rest).withUnsafeBytes { boundary.sliceLength($0, most: max(1, tally.parsableBytes)) }
                slices.append(count)
                for position in (place + 1)...(place + count) {
                    for part in parsed[position] ?? [] { tally.read(part) }
                }
                Array(rest.prefix(count)).withUnsafeBytes { boundary.passed($0, tally) }
                rest = rest.dropFirst(count)
                place += count
            }
        }

        mutating func answer() {
            tally.answer()
            boundary.settle(tally)
        }
    }

    private func head(length: Int?) -> HTTPRequestPart {
        var request = HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/")
        if let length { request.headerFields[.contentLength] = String(length) }
        return .head(request)
    }

    @Test func `a head is passed on to its very end`() {
        var connection = Connection()
        let text = "GET / HTTP/1.1\r\n\r\n"
        connection.pass(text, parsed: [text.utf8.count: [head(length: nil), .end(nil)]])
        #expect(connection.boundary.isBetween && connection.slices == [text.utf8.count])
        // What comes behind it in the same bytes is not in the same slice.
        var other = Connection()
        other.pass(text + "X", parsed: [text.utf8.count: [head(length: nil), .end(nil)]])
        #expect(other.slices == [text.utf8.count, 1] && !other.boundary.isBetween)
    }

    @Test func `a body of known length ends where it says`() {
        var connection = Connection()
        let text = "POST / HTTP/1.1\r\n\r\n"
        let end = text.utf8.count
        connection.pass(
            text + "abc",
            parsed: [end: [head(length: 3)], end + 3: [.body(ByteBuffer(string: "abc")), .end(nil)]]
        )
        #expect(connection.boundary.isBetween && connection.slices == [end, 3])
    }

    @Test func `behind a body in chunks nobody knows any more`() {
        var connection = Connection()
        let text = "POST / HTTP/1.1\r\n\r\n"
        connection.pass(
            text + "0\r\n\r\n",
            parsed: [text.utf8.count: [head(length: nil)], text.utf8.count + 5: [.end(nil)]]
        )
        #expect(connection.boundary.isUnknown)
        connection.answer()
        #expect(connection.boundary.isUnknown && !connection.boundary.isBetween)
    }

    @Test func `a head that the parser has not seen where it ends makes everything the parser's`() {
        var connection = Connection()
        connection.pass("GET / HTTP/1.1\r\n\r\n", parsed: [:])
        #expect(connection.boundary.isUnknown)
    }

    @Test func `the end of a head is found across slices`() {
        let text = "GET / HTTP/1.1\r\nA: b\r\n\r\n"
        for cut in 1..<text.utf8.count {
            var connection = Connection()
            connection.pass(String(decoding: text.utf8.prefix(cut), as: UTF8.self), parsed: [:])
            #expect(!connection.boundary.isBetween && !connection.boundary.isUnknown, "cut at \(cut)")
            let rest = String(decoding: text.utf8.dropFirst(cut), as: UTF8.self)
            connection.pass(rest, parsed: [rest.utf8.count: [head(length: nil), .end(nil)]])
            #expect(connection.boundary.isBetween, "cut at \(cut)")
        }
    }
}
