import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import faasd

@Suite struct CallHeadTests {
    private static let plain =
        "POST /v1/algo/anna/echo?timeout=3 HTTP/1.1\r\nHost: x\r\nAuthorization: Simple simABC\r\n"
        + "Content-Type: application/json\r\nContent-Length: 5\r\n\r\n"

    private func read(_ text: String) -> CallHead.Reading {
        Array(text.utf8).withUnsafeBytes { CallHead.read($0) }
    }

    private func part(_ range: Range<Int>, of text: String) -> String {
        String(decoding: Array(text.utf8)[range], as: UTF8.self)
    }

    @Test func `an ordinary head is read, and what comes behind it is not its`() {
        guard case .head(let head) = read(Self.plain + "12345POST") else { return #expect(Bool(false)) }
        #expect(head.byteCount == Self.plain.utf8.count && head.contentLength == 5)
        #expect(part(head.target, of: Self.plain) == "/v1/algo/anna/echo?timeout=3")
        #expect(part(head.authorization, of: Self.plain) == "Simple simABC")
        #expect(part(head.contentType, of: Self.plain) == "application/json")
    }

    @Test func `a head in pieces is incomplete until its last byte`() {
        let bytes = Array(Self.plain.utf8)
        for count in 0..<bytes.count {
            #expect(bytes.prefix(count).withUnsafeBytes { CallHead.read($0) } == .incomplete, "\(count) bytes")
        }
    }

    @Test(arguments: [
        ("POST ", "GET "), ("POST ", "POST  "), ("/v1/algo/", "/v1/manage/"), ("HTTP/1.1", "HTTP/1.0"),
        (" HTTP/1.1\r\n", "\r\n"), ("\r\nHost", "\nHost"), ("Host: x\r\n", ""), ("Host: x", "Host: x\r\nHost: x"),
        ("Host: x", "Host : x"), ("Host: x", "Host:\u{7}x"), ("Host: x", "Host: x\r\n folded"), ("Host: x", "Host: "),
        ("Content-Length: 5", "Content-Length: 5\r\nContent-Length: 5"), ("Content-Length: 5", "Content-Length: +5"),
        ("Content-Length: 5", "Content-Length: 5, 5"), ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 16385"), ("Content-Length: 5", "Content-Length: 18446744073709551621"),
        ("Host: x", "Host: x\r\nExpect: 100-continue"), ("Host: x", "Host: x\r\nIdempotency-Key: a"),
        ("Host: x", "Host: x\r\nConnection: close"), ("Host: x", "Host: x\r\nX-Faasd-Account: anna"),
        ("Host: x", "Host: x\r\nUpgrade: h2c"), ("Authorization: Simple simABC\r\n", ""), ("?timeout", "#timeout"),
        ("Host: x", "Host: x\r\nUser-Agent: " + String(repeating: "x", count: 4_096)), ("anna", "ann\u{e9}"),
    ])
    func `what is unusual is the parser's`(from: String, to: String) {
        #expect(read(Self.plain.replacingOccurrences(of: from, with: to)) == .notOurs)
    }

    @Test(arguments: [(16_383, true), (16_384, true), (16_385, false)])
    func `bodies are bounded`(length: Int, isOurs: Bool) {
        let text = Self.plain.replacingOccurrences(of: "Length: 5", with: "Length: \(length)")
        if case .head = read(text) { #expect(isOurs) } else { #expect(!isOurs) }
    }

    /// The rule that makes a second parser safe: whatever this one reads, the other reads the same way.
    @Test func `every head that is read means the same to the whole parser`() throws {
        let seed = UInt64(ProcessInfo.processInfo.environment["FAASD_TEST_SEED"] ?? "") ?? .random(in: 0 ... .max)
        var generator = Xorshift(state: seed | 1)
        var agreed = 0
        for round in 0..<20_000 {
            let text = mutated(&generator)
            guard case .head(let head) = text.withUnsafeBytes({ CallHead.read($0) }) else { continue }
            let said = try whole(Array(text.prefix(head.byteCount)))
            let line = "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self).debugDescription)"
            let (found, rest) = try #require(said, "\(line)")
            #expect(found.method == .POST && found.version == .http1_1 && rest == 0, "\(line)")
            func bytes(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
            #expect(found.uri == bytes(head.target), "\(line)")
            #expect(found.headers["authorization"] == [bytes(head.authorization)], "\(line)")
            #expect(found.headers["content-length"].compactMap { Int($0) } == [head.contentLength], "\(line)")
            #expect(
                found.headers["content-type"] == (head.contentType.isEmpty ? [] : [bytes(head.contentType)]),
                "\(line)"
            )
            for name in ["transfer-encoding", "expect", "upgrade", "idempotency-key", "x-faasd-account"] {
                #expect(!found.headers.contains(name: name), "\(line)")
            }
            agreed += 1
        }
        #expect(agreed > 1_000, "seed \(seed): too few of the mutations are heads at all")
    }

    /// The whole parser's head, and how many bytes it has not understood as part of it; nil when it refuses it.
    private func whole(_ bytes: [UInt8]) throws -> (HTTPRequestHead, Int)? {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { return nil }
        guard case .head(let head)? = try channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        // A body of length 0 ends with its head; of another length, its first byte is still to come.
        var rest = 0
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            if case .body(let body) = part { rest += body.readableBytes }
            if case .head = part { rest += 1 }
        }
        return (head, rest)
    }

    private func mutated(_ generator: inout Xorshift) -> [UInt8] {
        var bytes = Array(Self.plain.utf8)
        let scraps: [String] = [
            "\r\n", "\n", "\r", " ", "\t", ":", "Connection: keep-alive\r\n", "Accept: */*\r\n", "User-Agent: a b\r\n",
            "Content-Length: 5\r\n", "content-length: 7\r\n", "Transfer-Encoding: chunked\r\n", "A: b\r\n", "\0",
            "\u{80}",
            "HTTP/1.1", "0", "host: y\r\n", "Content-Type: text/plain\r\n", "traceparent: 00-1\r\n",
        ]
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[place] = .random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: (scraps.randomElement(using: &generator) ?? "").utf8, at: place)
            default:
                // A whole line where a line may be.
                let ends = bytes.indices.filter { bytes[$0] == 10 }
                let line = scraps.filter { $0.hasSuffix("\r\n") }.randomElement(using: &generator) ?? ""
                if let end = ends.dropLast().randomElement(using: &generator) {
                    bytes.insert(contentsOf: line.utf8, at: end + 1)
                }
            }
        }
        return bytes
    }
}

/// Marsaglia's xorshift64, so that a seed makes the same heads everywhere.
private struct Xorshift: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
