internal import Glibc

/// Small files of the kernel, read and written through descriptors that stay open.
enum Kernel {
    /// Has the bytes of a small file looked at, from its start; none when it cannot be read.
    ///
    /// No text is made of them: a call reads a dozen such files. What is wanted must stand within the first `bytesMax`
    /// bytes; a KiB is on the stack, more is not.
    static func read<Result>(
        _ descriptor: CInt,
        bytesMax: Int = 1_024,
        _ look: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: bytesMax, alignment: 8) { buffer in
            let length = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            return look(UnsafeRawBufferPointer(rebasing: buffer.prefix(max(0, length))))
        }
    }

    /// The number behind `key` in a file of lines of `key value`, or the only number of a file; 0 when it is not there.
    static func number(_ descriptor: CInt, key: StaticString? = nil, bytesMax: Int = 1_024) -> UInt64 {
        read(descriptor, bytesMax: bytesMax) { number(in: $0, key: key) }
    }

    /// Whether a file begins with these bytes.
    static func begins(_ descriptor: CInt, _ word: StaticString) -> Bool {
        read(descriptor) { bytes in
            guard let base = bytes.baseAddress, bytes.count >= word.utf8CodeUnitCount else { return false }
            return memcmp(base, word.utf8Start, word.utf8CodeUnitCount) == 0
        }
    }

    /// Writes a short word; false when the kernel refused it.
    @discardableResult
    static func write(_ descriptor: CInt, _ word: StaticString) -> Bool {
        pwrite(descriptor, word.utf8Start, word.utf8CodeUnitCount, 0) == word.utf8CodeUnitCount
    }

    static func number(in bytes: UnsafeRawBufferPointer, key: StaticString?) -> UInt64 {
        guard let key else { return leadingNumber(bytes, 0) }
        let length = key.utf8CodeUnitCount
        var start = 0
        while let base = bytes.baseAddress, start + length + 1 < bytes.count {
            let isKey = memcmp(base + start, key.utf8Start, length) == 0 && bytes[start + length] == UInt8(ascii: " ")
            if isKey { return leadingNumber(bytes, start + length + 1) }
            guard let end = memchr(base + start, 10, bytes.count - start) else { return 0 }
            start = base.distance(to: UnsafeRawPointer(end)) + 1
        }
        return 0
    }

    /// The digits from a place on as a number; 0 when there are none, or too many.
    private static func leadingNumber(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt64 {
        var value: UInt64 = 0
        for byte in bytes[start...] {
            guard (48...57).contains(byte) else { break }
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = product.addingReportingOverflow(UInt64(byte - 48))
            guard !overflows, !overflowsToo else { return 0 }
            value = sum
        }
        return value
    }

    /// The text of a file by path; empty when it cannot be read.
    static func text(at path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        return String(decoding: bytes(descriptor), as: UTF8.self)
    }

    /// What is left to read of a descriptor, to its end.
    static func bytes(_ descriptor: CInt) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let length = Glibc.read(descriptor, &chunk, chunk.count)
            guard length > 0 else { break }
            bytes += chunk.prefix(length)
        }
        return bytes
    }
}
