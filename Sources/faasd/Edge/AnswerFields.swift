import Billing
import Glibc
import HTTPTypes
import NIOCore

/// The header fields of an answer, in order; written as bytes, or handed to the router.
struct AnswerFields: Sendable {
    /// A field's name: bytes of the program, which nobody counts the references of.
    struct Name: Sendable, Equatable, ExpressibleByStringLiteral {
        let bytes: StaticString

        init(stringLiteral bytes: StaticString) { self.bytes = bytes }

        static var contentType: Self { "Content-Type" }
        static var retryAfter: Self { "Retry-After" }
        static var contentLength: Self { "Content-Length" }
        static var date: Self { "Date" }
        static var server: Self { "Server" }

        static func == (left: Self, right: Self) -> Bool {
            left.bytes.utf8CodeUnitCount == right.bytes.utf8CodeUnitCount
                && memcmp(left.bytes.utf8Start, right.bytes.utf8Start, left.bytes.utf8CodeUnitCount) == 0
        }
    }

    enum Value: Sendable, ExpressibleByStringLiteral {
        case text(String)
        case number(Int64)
        case id(InvocationID)

        init(stringLiteral text: String) { self = .text(text) }

        var description: String {
            switch self {
            case .text(let text): text
            case .number(let number): String(number)
            case .id(let id): id.description
            }
        }
    }

    private(set) var all: [(name: Name, value: Value)] = []

    init() { all.reserveCapacity(16) }

    subscript(name: Name) -> Value? {
        get { all.first { $0.name == name }?.value }
        set {
            all.removeAll { $0.name == name }
            if let newValue { all.append((name, newValue)) }
        }
    }

    /// Adds a field that is not there.
    mutating func add(_ name: Name, _ value: Value) { all.append((name, value)) }

    /// The same for the router.
    var fields: HTTPFields {
        var fields = HTTPFields()
        for (name, value) in all {
            guard let known = HTTPField.Name("\(name.bytes)") else { preconditionFailure("\(name.bytes) is no name") }
            fields.append(HTTPField(name: known, value: value.description))
        }
        return fields
    }
}

extension ByteBuffer {
    /// Writes a field and the end of its line.
    mutating func writeField(_ name: AnswerFields.Name, _ value: AnswerFields.Value) {
        writeStaticString(name.bytes)
        writeStaticString(": ")
        switch value {
        case .text(let text): writeString(text)
        case .number(let number): writeDecimal(number)
        case .id(let id): writeName(of: id)
        }
        writeStaticString("\r\n")
    }

    /// Writes an invocation's name.
    mutating func writeName(of invocation: InvocationID) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: InvocationID.textByteCount) { room in
            invocation.write(to: room)
            return InvocationID.textByteCount
        }
    }

    /// Writes a number in decimal digits.
    mutating func writeDecimal(_ number: Int64) {
        guard number != .min else { return _ = writeString(String(number)) }
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var (place, left) = (20, number.magnitude)
            repeat {
                place -= 1
                digits[place] = UInt8(48 + left % 10)
                left /= 10
            } while left > 0
            if number < 0 {
                place -= 1
                digits[place] = UInt8(ascii: "-")
            }
            _ = writeBytes(UnsafeRawBufferPointer(rebasing: digits[place...]))
        }
    }
}

extension CallAnswer {
    /// Writes status line, fields and the empty line.
    ///
    /// - Source: RFC 9112, 4 and 5.
    func writeHead(to bytes: inout ByteBuffer, server: String) {
        bytes.writeStaticString("HTTP/1.1 ")
        if status == .ok {
            bytes.writeStaticString("200 OK")
        } else {
            bytes.writeDecimal(Int64(status.code))
            bytes.writeStaticString(" ")
            bytes.writeString(status.reasonPhrase)
        }
        bytes.writeStaticString("\r\n")
        for (name, value) in headers.all { bytes.writeField(name, value) }
        bytes.writeField(.contentLength, .number(Int64(body.byteCount)))
        bytes.writeField(.date, .text(HTTPDate.now))
        bytes.writeField(.server, .text(server))
        bytes.writeStaticString("\r\n")
    }
}
