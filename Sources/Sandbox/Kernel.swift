internal import Glibc

/// Small files of the kernel, read and written through descriptors that stay open.
enum Kernel {
    /// The text of a small file, from its start; empty when it cannot be read.
    static func read(_ descriptor: CInt) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2_048) { buffer in
            let length = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            return length > 0 ? String(decoding: buffer.prefix(length), as: UTF8.self) : ""
        }
    }

    /// Writes a short word; false when the kernel refused it.
    @discardableResult
    static func write(_ descriptor: CInt, _ word: StaticString) -> Bool {
        pwrite(descriptor, word.utf8Start, word.utf8CodeUnitCount, 0) == word.utf8CodeUnitCount
    }

    /// The number behind `key` in lines of `key value`, or the only number of the text; 0 when it is not there.
    static func number(in text: String, key: String?) -> UInt64 {
        guard let key else { return UInt64(text.prefix { $0.isNumber }) ?? 0 }
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            let rest = line.dropFirst(key.count)
            if rest.first == " ", let value = UInt64(rest.dropFirst()) { return value }
        }
        return 0
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
