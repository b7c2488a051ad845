internal import Glibc

/// What a call printed, kept up to a bound; the rest is read and counted, so that a chatty worker never blocks.
struct LogCapture: Sendable {
    private let bytesMax: Int
    private var bytes: [UInt8] = []
    /// Bytes that were read and not kept.
    private(set) var droppedBytes = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Reads what is in a non-blocking pipe now, at most a mebibyte, so that one call of this ends.
    /// - Returns: false when the pipe is at its end.
    @discardableResult
    mutating func drain(_ descriptor: CInt) -> Bool {
        // Mostly nothing is in it, or a line: only what does not fit into this asks for memory.
        let isSmall = withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 1) { room -> Bool? in
            let length = read(descriptor, room.baseAddress, room.count)
            guard length > 0 else { return length < 0 }
            keep(room, length)
            return nil
        }
        return isSmall ?? drainMuch(descriptor)
    }

    private mutating func drainMuch(_ descriptor: CInt) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { room in
            for _ in 0..<16 {
                let length = read(descriptor, room.baseAddress, room.count)
                guard length > 0 else { return length < 0 }
                keep(room, length)
            }
            return true
        }
    }

    private mutating func keep(_ room: UnsafeMutableRawBufferPointer, _ length: Int) {
        let kept = min(length, bytesMax - bytes.count)
        bytes += room.prefix(kept)
        droppedBytes += length - kept
    }

    /// What was printed as text, with a last line that says how much is missing.
    var text: String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard droppedBytes > 0 else { return text }
        return text + "\n[log cut: \(droppedBytes) more bytes were dropped; the limit is \(bytesMax) bytes per call]\n"
    }
}
