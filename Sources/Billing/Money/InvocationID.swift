import Glibc

/// The name of one call: a version 7 UUID, so that later calls sort after earlier ones (RFC 9562).
public struct InvocationID: Sendable, Hashable, Comparable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// Makes a new identifier from the clock (milliseconds) and 74 random bits.
    public init() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
        let random = Entropy.pair()
        high = milliseconds << 16 | 0x7000 | random.0 & 0xFFF
        low = 0x8000_0000_0000_0000 | random.1 >> 2
    }

    /// Reads the usual text form: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
    ///
    /// - Parameter text: upper or lower case; nil is returned for any other form.
    public init?(_ text: String) {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        var halves: [UInt64] = [0, 0]
        for (place, digit) in groups.joined().enumerated() {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            halves[place / 16] = halves[place / 16] << 4 | UInt64(value)
        }
        (high, low) = (halves[0], halves[1])
    }

    /// Reads the 16 bytes that ``bytes`` gives.
    ///
    /// - Parameter bytes: nil is returned for any other number of bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The 16 bytes, most significant first.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { bytes, count in
            let raw = UnsafeMutableRawBufferPointer(bytes)
            raw.storeBytes(of: high.bigEndian, as: UInt64.self)
            raw.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            count = 16
        }
    }

    /// The usual text form in lower case.
    public var description: String {
        String(unsafeUninitializedCapacity: Self.textByteCount) {
            write(to: UnsafeMutableRawBufferPointer($0))
            return Self.textByteCount
        }
    }

    /// Bytes of the text form.
    public static let textByteCount = 36

    /// Writes the text form where there is room for it.
    ///
    /// - Parameter text: room for at least ``textByteCount`` bytes.
    public func write(to text: UnsafeMutableRawBufferPointer) {
        precondition(text.count >= Self.textByteCount, "an invocation's name has \(Self.textByteCount) bytes")
        var place = 0
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                text[place] = UInt8(ascii: "-")
                place += 1
            }
            let half = digit < 16 ? high : low
            let value = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (digit & 15))) & 15
            text[place] = value < 10 ? 48 + value : 87 + value
            place += 1
        }
    }

    /// Orders identifiers by their bytes, and so by time of making.
    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
