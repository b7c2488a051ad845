internal import Glibc
internal import NIOCore
internal import Sandbox

/// One request to a box and the frames it answers with: written and read at once, so that neither side's full pipe
/// can block the other, and bounded by one deadline and one byte budget.
///
/// Blocks its thread in poll(2); must not run on the cooperative pool.
struct Conversation: ~Copyable {
    /// What happened next.
    enum Event {
        case frame(FrameHeader.Reply, flags: UInt8, ByteBuffer)
        /// The box's first process ended, or closed its reply pipe for good.
        case ended
        case deadline
        case outOfMemory
        /// It answered something that is no frame of this conversation.
        case violation(String)
        /// It began a frame larger than its kind may be.
        case tooLarge(bytes: Int, limit: Int)
    }

    private let nonce: UInt64
    private let deadline: Deadline
    /// Until when the thread looks out for the answer instead of sleeping.
    private let watchUntil: UInt64
    private let limits: @Sendable (FrameHeader.Reply) -> Int?
    private var header: ByteBuffer
    private var payload: ByteBuffer
    private var incoming = ByteBuffer()
    private(set) var log: LogCapture
    /// Log pipes whose writers are all gone: always "readable", so no longer waited for.
    private var endedLogs: Ready = []

    /// Prepares a request; nothing is sent before the first `next`.
    ///
    /// `name` is sent before, in a frame of its own that is not answered, to boxes that must know whose archive it is.
    /// `nonce` is a number that the box cannot know before it is asked.
    /// With `watches` the answer is looked out for during a moment before the thread sleeps: to be woken on a processor that
    /// rests takes as long as many an answer.
    /// `limits` gives the largest payload of each kind of answer, nil for kinds that do not belong here.
    init(
        _ request: FrameHeader.Request,
        flags: UInt8 = 0,
        after name: String? = nil,
        payload: ByteBuffer,
        logBytesMax: Int,
        deadline: Deadline,
        nonce: UInt64 = .random(in: .min ... .max),
        watches: Bool = false,
        limits: @escaping @Sendable (FrameHeader.Reply) -> Int?
    ) {
        self.nonce = nonce
        watchUntil = watches ? Deadline.now + Self.watchNanoseconds : 0
        self.deadline = deadline
        self.limits = limits
        self.payload = payload
        header = ByteBuffer()
        if let name {
            header.writeImmutableBuffer(FrameHeader(.initialize, length: name.utf8.count, nonce: nonce).buffer)
            header.writeString(name)
        }
        header.writeImmutableBuffer(
            FrameHeader(request, flags: flags, length: payload.readableBytes, nonce: nonce).buffer
        )
        // A short one leaves in one piece: its reader is woken once.
        if payload.readableBytes <= Self.joinedBytesMax {
            header.writeImmutableBuffer(payload)
            self.payload.clear()
        }
        log = LogCapture(bytesMax: logBytesMax)
    }

    private static let joinedBytesMax = 4 << 10
    private static let watchNanoseconds: UInt64 = 150_000

    /// Sends what is left to send while reading, until a whole frame or something else happened.
    mutating func next(_ box: borrowing Box) -> Event {
        while true {
            send(box)
            if let event = parse() { return event }
            let wait = deadline.millisecondsLeft
            guard wait > 0 else { return .deadline }
            if Deadline.now < watchUntil {
                switch read(box.replyPipe) {
                case .nothing: sched_yield()
                case .some: break
                case .end: return afterClosing(box)
                }
                continue
            }
            let ready = waitForAny(box, milliseconds: wait)
            if ready.contains(.outOfMemory) { return .outOfMemory }
            if ready.contains(.output), !log.drain(box.standardOutput) { endedLogs.insert(.output) }
            if ready.contains(.error), !log.drain(box.standardError) { endedLogs.insert(.error) }
            if ready.contains(.ended) { return lastWords(box) }
            if ready.contains(.reply), read(box.replyPipe) == .end { return afterClosing(box) }
        }
    }

    /// Keeps what the box printed and is still in the pipes; call it on a frozen or dead box.
    mutating func drainLogs(_ box: borrowing Box) {
        log.drain(box.standardOutput)
        log.drain(box.standardError)
    }

    /// Whether the box sent anything behind its last frame, which no honest runtime does.
    mutating func hasStrayBytes(_ box: borrowing Box) -> Bool {
        _ = read(box.replyPipe)
        return incoming.readableBytes > 0
    }

    private struct Ready: OptionSet {
        let rawValue: Int
        static let reply = Ready(rawValue: 1)
        static let output = Ready(rawValue: 2)
        static let error = Ready(rawValue: 4)
        static let ended = Ready(rawValue: 8)
        static let outOfMemory = Ready(rawValue: 16)
    }

    private func waitForAny(_ box: borrowing Box, milliseconds: CInt) -> Ready {
        let request = header.readableBytes + payload.readableBytes > 0 ? box.requestPipe : -1
        let output = endedLogs.contains(.output) ? -1 : box.standardOutput
        let error = endedLogs.contains(.error) ? -1 : box.standardError
        let watched = [box.replyPipe, output, error, box.processHandle, box.outOfMemoryHandle]
        return withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 6) { polls in
            for index in 0..<5 { polls[index] = pollfd(fd: watched[index], events: Int16(POLLIN), revents: 0) }
            polls[5] = pollfd(fd: request, events: Int16(POLLOUT), revents: 0)
            guard poll(polls.baseAddress, 6, milliseconds) > 0 else { return [] }
            var ready: Ready = []
            for index in 0..<5 where polls[index].revents != 0 { ready.insert(Ready(rawValue: 1 << index)) }
            return ready
        }
    }

    private mutating func send(_ box: borrowing Box) {
        while header.readableBytes > 0, Self.write(&header, box.requestPipe) {}
        guard header.readableBytes == 0 else { return }
        while payload.readableBytes > 0, Self.write(&payload, box.requestPipe) {}
    }

    /// Writes what the pipe takes.
    ///
    /// A reader that is gone empties the buffer: how it ended is what matters then, and the process handle will tell.
    private static func write(_ buffer: inout ByteBuffer, _ descriptor: CInt) -> Bool {
        let (written, code) = buffer.withUnsafeReadableBytes {
            let written = Glibc.write(descriptor, $0.baseAddress, $0.count)
            return (written, errno)
        }
        if written > 0 { buffer.moveReaderIndex(forwardBy: written) }
        if written < 0, code == EPIPE { buffer.clear() }
        return written > 0 || code == EINTR
    }

    private enum ReadOutcome { case some, nothing, end }

    private mutating func read(_ descriptor: CInt) -> ReadOutcome {
        var outcome = ReadOutcome.nothing
        incoming.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.readBytes) { room in
            let length = Glibc.read(descriptor, room.baseAddress, room.count)
            if length == 0 { outcome = .end }
            if length > 0 { outcome = .some }
            return max(length, 0)
        }
        return outcome
    }

    /// Room for one read of the reply pipe; no answer takes less memory.
    static let readBytes = 65_536

    private mutating func parse() -> Event? {
        guard incoming.readableBytes >= FrameHeader.byteCount else { return nil }
        guard let header = incoming.withUnsafeReadableBytes({ FrameHeader($0) }) else {
            return .violation("bytes that are no frame on the reply pipe")
        }
        guard header.nonce == nonce else { return .violation("a frame that answers no request of ours") }
        guard let type = FrameHeader.Reply(rawValue: header.type), let limit = limits(type) else {
            return .violation("a frame of type \(header.type), which does not belong here")
        }
        let length = Int(header.length)
        guard length <= limit else { return .tooLarge(bytes: length, limit: limit) }
        guard incoming.readableBytes >= FrameHeader.byteCount + length else {
            incoming.reserveCapacity(minimumWritableBytes: FrameHeader.byteCount + length - incoming.readableBytes)
            return nil
        }
        incoming.moveReaderIndex(forwardBy: FrameHeader.byteCount)
        let payload = incoming.readSlice(length: length) ?? ByteBuffer()
        if incoming.readableBytes == 0 { incoming = ByteBuffer() }
        return .frame(type, flags: header.flags, payload)
    }

    /// The process is gone; a whole frame that it wrote before still counts.
    private mutating func lastWords(_ box: borrowing Box) -> Event {
        drainLogs(box)
        while read(box.replyPipe) == .some {
            if let event = parse() { return event }
        }
        return parse() ?? .ended
    }

    /// What is said of a process that closed its reply pipe and has not ended; how it ended after all decides.
    static let wentOn = "it closed its reply pipe and went on"

    /// Its reply pipe is closed: a process that is ending gets a moment to do so, one that goes on broke the rules.
    private mutating func afterClosing(_ box: borrowing Box) -> Event {
        var handle = pollfd(fd: box.processHandle, events: Int16(POLLIN), revents: 0)
        guard poll(&handle, 1, min(200, deadline.millisecondsLeft)) > 0 else {
            return deadline.millisecondsLeft > 0 ? .violation(Self.wentOn) : .deadline
        }
        return lastWords(box)
    }
}
