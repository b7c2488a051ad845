import Foundation
import Testing

@testable import Invoker

@Suite struct JSONScannerTests {
    private func problem(_ text: String, nonFinite: Bool = false) -> JSONScanner.Problem? {
        problem(Array(text.utf8), nonFinite: nonFinite)
    }

    private func problem(_ bytes: [UInt8], nonFinite: Bool = false) -> JSONScanner.Problem? {
        bytes.withUnsafeBytes { buffer in
            do throws(JSONScanner.Problem) {
                try JSONScanner.check(buffer, allowsNonFinite: nonFinite)
                return nil
            } catch { return error }
        }
    }

    @Test(arguments: [
        "0", "-0", "1", "-12.5e+3", "1E5", "0.1", "true", "false", "null", "\"\"", "\"a\\u00e9\\n\"", "[]", "{}",
        " [ 1 , 2 ] ",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"\"}", "\"é😀\"", "\t\r\n1\n", "[[],[[]],{}]", "\"\\ud800\"",
    ])
    func `a well-formed value passes`(text: String) { #expect(problem(text) == nil, "\(text)") }

    @Test(arguments: [
        ("", 0), (" ", 1), ("1}", 1), ("1},\"metadata\":{", 1), ("1 2", 2), ("[1,]", 3), ("[1 2]", 3), ("{\"a\"}", 4),
        ("{\"a\":}", 5), ("{a:1}", 1), ("{\"a\":1,}", 7), ("[", 1), ("{", 1), ("\"abc", 4), ("\"\\x\"", 2),
        ("\"\\u12g4\"", 5),
        ("01", 1), ("-", 1), ("1.", 2), ("1e", 2), (".5", 0), ("+1", 0), ("nul", 0), ("tru e", 0), ("[}", 1),
        ("{\"a\":1]", 6),
        ("\"a\nb\"", 2), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1), ("]", 0), ("\u{feff}1", 0), ("'a'", 0),
    ])
    func `anything else is refused at its place`(text: String, offset: Int) {
        #expect(problem(text)?.offset == offset, "\(text): \(String(describing: problem(text)))")
    }

    @Test(arguments: ["NaN", "Infinity", "-Infinity", "[NaN,1]"])
    func `what Python clients send for non-finite numbers passes where it is allowed`(text: String) {
        #expect(problem(text, nonFinite: true) == nil)
    }

    @Test(arguments: [(511, true), (512, true), (513, false), (100_000, false)])
    func `nesting is accepted up to 512`(depth: Int, passes: Bool) {
        let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let objects = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        #expect((problem(arrays) == nil) == passes)
        #expect((problem(objects) == nil) == passes)
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFF], [0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]]
    )
    func `bytes that are not UTF-8 are refused`(bytes: [UInt8]) {
        #expect(problem([0x22] + bytes + [0x22]) != nil)
        #expect(!bytes.withUnsafeBytes { UTF8Check.isValid($0) })
    }

    @Test func `it agrees with Foundation on mutated documents`() throws {
        let seed = UInt64(ProcessInfo.processInfo.environment["FAASD_TEST_SEED"] ?? "") ?? 42
        var generator = Xorshift(state: seed)
        let base = Array("{\"a\":[1,2.5e3,\"x\\u0041\",true,null],\"b\":{\"c\":\"é\"}}".utf8)
        for _ in 0..<3_000 {
            var bytes = base
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0x20...0x7E,
                    using: &generator
                )
            }
            let accepted = problem(bytes) == nil
            let parsed = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            // Ours must never accept what a parser refuses; the other way round Foundation is laxer in places.
            if accepted { #expect(parsed != nil, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))") }
        }
    }
}

struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
