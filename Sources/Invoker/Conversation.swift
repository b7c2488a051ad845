internal import Billing
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
    /// Whether anything came behind the last frame.
    private var isAhead = false
    /// Whether nothing was in the log pipes when the last answer was there to be read.
    private var isQuiet = false
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
        nonce: UInt64 = Entropy.next(),
        watches: Bool = false,
        limits: @escaping @Sendable (FrameHeader.Reply) -> Int?
    ) {
        self.nonce = nonce
        watchUntil = watches ? Deadline.now + Self.watchNanoseconds : 0
        self.deadline = deadline
        self.limits = limits
        self.payload = payload
        // A short one leaves in one piece: its reader is woken once.
        let isShort = payload.readableBytes <= Self.joinedBytesMax
        header = ByteBuffer()
        header.reserveCapacity(
            2 * FrameHeader.byteCount + (name?.utf8.count ?? 0) + (isShort ? payload.readableBytes : 0)
        )
        if let name {
            FrameHeader(.initialize, length: name.utf8.count, nonce: nonce).write(to: &header)
            header.writeString(name)
        }
        FrameHeader(request, flags: flags, length: payload.readableBytes, nonce: nonce).write(to: &header)
        if isShort {
            header.writeImmutableBuffer(payload)
            self.payload = ByteBuffer()
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
                case .some: isQuiet = false
                case .end: return afterClosing(box)
                }
                continue
            }
            let ready = waitForAny(box, milliseconds: wait)
            if ready.contains(.outOfMemory) { return .outOfMemory }
            if ready.contains(.output), !log.drain(box.standardOutput) { endedLogs.insert(.output) }
            if ready.contains(.error), !log.drain(box.standardError) { endedLogs.insert(.error) }
            // An honest runtime has passed on what was printed before it answers.
            isQuiet = !ready.contains(.output) && !ready.contains(.error)
            if ready.contains(.ended) { return lastWords(box) }
            if ready.contains(.reply), read(box.replyPipe) == .end { return afterClosing(box) }
        }
    }

    /// Keeps what the box printed before it answered; what it prints later is the next call's.
    mutating func drainLogsOfAnswer(_ box: borrowing Box) {
        if !isQuiet { drainLogs(box) }
    }

    /// Keeps what the box printed and is still in the pipes; call it on a frozen or dead box.
    mutating func drainLogs(_ box: borrowing Box) {
        log.drain(box.standardOutput)
        log.drain(box.standardError)
    }

    /// Whether the box sent anything behind its last frame, which no honest runtime does.
    mutating func hasStrayBytes(_ box: borrowing Box) -> Bool {
        // What it is, nobody wants to know: a byte will do.
        var byte: UInt8 = 0
        if !isAhead { isAhead = incoming.readableBytes > 0 || Glibc.read(box.replyPipe, &byte, 1) > 0 }
        return isAhead
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
        return withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 6) { polls in
            func watch(_ index: Int, _ descriptor: CInt, _ event: Int32 = POLLIN) {
                polls.initializeElement(at: index, to: pollfd(fd: descriptor, events: Int16(event), revents: 0))
            }
            watch(0, box.replyPipe)
            watch(1, output)
            watch(2, error)
            watch(3, box.processHandle)
            watch(4, box.outOfMemoryHandle)
            watch(5, request, POLLOUT)
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

    /// Room for the first read of an answer, whose header says how much more there is; no answer takes less memory.
    static let readBytes = 4_096

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
