import NIOCore

/// The head of an ordinary call, read from the bytes of a connection: a small part of HTTP/1.1, and strictly.
///
/// Whatever is unusual, if only an empty header, is not ours: the whole parser is there for it, and gives the answer. So
/// what is read here means the same there; `CallHeadTests` compares the two over random heads.
///
/// - Source: RFC 9112, 2 to 6.
struct CallHead: Equatable, Sendable {
    enum Reading: Equatable, Sendable {
        /// It may become one when more bytes come.
        case incomplete
        /// None, or one that the whole parser must see.
        case notOurs
        case head(CallHead)
    }

    /// Longer heads are not ours.
    static let bytesMax = 4 << 10
    /// Larger bodies are checked and passed on elsewhere than on an event loop.
    static let bodyBytesMax = 16 << 10
    private static let prefix: StaticString = "POST /v1/algo/"
    private static let version: StaticString = " HTTP/1.1"

    /// Bytes of the head, with the empty line at its end.
    var byteCount = 0
    var contentLength = 0
    /// Places of the target and of two fields' values, counted from the head's first byte.
    var target: Range<Int> = 0..<0
    var authorization: Range<Int> = 0..<0
    /// Empty when there is no such field.
    var contentType: Range<Int> = 0..<0

    /// Reads a head from the start of some bytes.
    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard begins(bytes, prefix) else {
            return bytes.count < prefix.utf8CodeUnitCount ? incomplete(bytes) : .notOurs
        }
        var (head, seen, start) = (CallHead(), Fields(), 0)
        while let end = lineEnd(bytes, from: start) {
            guard end.isWhole else { return .notOurs }
            let line = start..<end.place
            if start == 0 {
                guard let target = requestTarget(bytes, line) else { return .notOurs }
                head.target = target
            } else if line.isEmpty {
                head.byteCount = end.place + 2
                return seen.areThere && head.contentLength <= bodyBytesMax ? .head(head) : .notOurs
            } else {
                guard head.take(bytes, line, &seen) else { return .notOurs }
            }
            start = end.place + 2
        }
        return bytes.count >= bytesMax ? .notOurs : .incomplete
    }

    private struct Fields {
        var host = false, length = false, authorization = false, contentType = false
        var areThere: Bool { host && length && authorization }
    }

    /// Where a line ends, and whether it does so properly and consists of nothing but visible ASCII and spaces; nil when
    /// its end has not come.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> (place: Int, isWhole: Bool)? {
        var place = start
        let most = min(bytes.count, bytesMax)
        while place < most, bytes[place] >= 0x20, bytes[place] < 0x7F { place += 1 }
        guard place < most else { return nil }
        guard bytes[place] == UInt8(ascii: "\r") else { return (place, false) }
        guard place + 1 < most else { return nil }
        return (place, bytes[place + 1] == UInt8(ascii: "\n"))
    }

    private static func requestTarget(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> Range<Int>? {
        let (from, to) = (line.lowerBound + 5, line.upperBound - version.utf8CodeUnitCount)
        guard from < to, begins(UnsafeRawBufferPointer(rebasing: bytes[to..<line.upperBound]), version) else {
            return nil
        }
        for place in from..<to where bytes[place] == UInt8(ascii: " ") || bytes[place] == UInt8(ascii: "#") {
            return nil
        }
        return from..<to
    }

    /// Notes what a field says; false for one that is not ours to understand.
    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ seen: inout Fields) -> Bool {
        guard let colon = line.first(where: { bytes[$0] == UInt8(ascii: ":") }), colon > line.lowerBound else {
            return false
        }
        let name = UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<colon])
        guard name.allSatisfy(Self.isNameByte) else { return false }
        var value = (colon + 1)..<line.upperBound
        while !value.isEmpty, bytes[value.lowerBound] == 0x20 { value = (value.lowerBound + 1)..<value.upperBound }
        // Spaces behind a value the whole parser leaves there, and what it makes of it is its to say.
        guard !value.isEmpty, bytes[value.upperBound - 1] != 0x20 else { return false }
        return note(name, UnsafeRawBufferPointer(rebasing: bytes[value]), value, &seen)
    }

    private mutating func note(
        _ name: UnsafeRawBufferPointer,
        _ text: UnsafeRawBufferPointer,
        _ value: Range<Int>,
        _ seen: inout Fields
    ) -> Bool {
        switch name.count {
        case 4 where Self.equals(name, "host"): return Self.once(&seen.host)
        case 12 where Self.equals(name, "content-type"):
            contentType = value
            return Self.once(&seen.contentType)
        case 13 where Self.equals(name, "authorization"):
            authorization = value
            return Self.once(&seen.authorization)
        case 14 where Self.equals(name, "content-length"):
            guard text.count <= 7, text.allSatisfy({ (48...57).contains($0) }) else { return false }
            contentLength = text.reduce(0) { $0 * 10 + Int($1 - 48) }
            return Self.once(&seen.length)
        case 10 where Self.equals(name, "connection"): return Self.equals(text, "keep-alive")
        default: return Self.harmless.contains { Self.equals(name, $0) }
        }
    }

    /// Fields that say nothing to this server; all others may.
    private static let harmless: [StaticString] = [
        "user-agent", "accept", "accept-encoding", "accept-language", "origin", "referer", "x-request-id",
        "cache-control",
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "via", "traceparent", "tracestate",
        "date",
        "pragma", "dnt", "priority", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-dest",
    ]

    private static func once(_ flag: inout Bool) -> Bool {
        defer { flag = true }
        return !flag
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == UInt8(ascii: "-")
    }

    /// Whether bytes are this text, which is in lower case, in any case.
    private static func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for place in 0..<bytes.count {
            let byte = bytes[place]
            guard ((65...90).contains(byte) ? byte | 0x20 : byte) == text.utf8Start[place] else { return false }
        }
        return true
    }

    private static func begins(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        bytes.count >= text.utf8CodeUnitCount
            && bytes.starts(with: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Too few bytes to tell: they may be the beginning of one.
    private static func incomplete(_ bytes: UnsafeRawBufferPointer) -> Reading {
        let text = UnsafeRawBufferPointer(start: prefix.utf8Start, count: bytes.count)
        return bytes.elementsEqual(text) ? .incomplete : .notOurs
    }
}
