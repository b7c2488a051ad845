import Billing
import Catalog
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Invoker
import NIOCore

/// Serves ordinary calls from the bytes of their connection, without parser, router and task: a third of what they cost.
///
/// Ordinary is a call whose head `CallHead` reads, with a key and no idempotency key, a moderate body that is what it says
/// it is, of an algorithm that is there. Everything else, and every problem, is the router's, as if this were not here.
/// It belongs to one connection, whose `RequestGate` keeps answers in the order of their requests.
///
/// - Source: measured in docs/decisions/0019.
final class CallLane {
    enum Taken {
        /// The invoker has it.
        case taken
        /// More bytes must come.
        case incomplete(hasHead: Bool)
        case notOurs
    }

    /// What a connection asked for last; most ask for the same again.
    private struct Last {
        var target: ByteBuffer
        var authorization: ByteBuffer
        var contentType: ByteBuffer
        var revision: UInt64
        var order: CallOrder
    }

    private enum State {
        case idle
        case running
        /// Its answer is longer than what the connection takes at once.
        case answering(AnswerBody, AnswerRoom?)
        /// Its answer is written, and the connection ends when it has left.
        case leaving
    }

    private let desk: CallDesk
    private let serverName: String
    private var state = State.idle
    private var last: Last?
    private var context: ChannelHandlerContext?
    private var answered: () -> Void = {}
    /// Whether the connection ends after what is under way, so that its end must wait for the answer to have left.
    var isEnding = false

    init(desk: CallDesk, serverName: String) { (self.desk, self.serverName) = (desk, serverName) }

    /// Whether a call was taken and is not answered.
    var isBusy: Bool { if case .idle = state { false } else { true } }

    /// - Parameters:
    ///   - context: where answers are written.
    ///   - answered: told after each answer.
    func open(_ context: ChannelHandlerContext, answered: @escaping () -> Void) {
        (self.context, self.answered) = (context, answered)
    }

    /// The connection is gone; a running call goes on and is charged.
    func close() {
        (context, answered, last) = (nil, {}, nil)
        // Nobody takes the rest of an answer any more, and its room is free.
        if case .answering = state { state = .idle }
        lastWrite = nil
    }

    /// Takes a call from the front of what a connection has sent.
    func take(_ bytes: inout ByteBuffer) -> Taken {
        guard let loop = context?.eventLoop else { return .notOurs }
        let head: CallHead
        switch bytes.withUnsafeReadableBytes(CallHead.read) {
        case .notOurs: return .notOurs
        case .incomplete: return .incomplete(hasHead: false)
        case .head(let found): head = found
        }
        guard let order = order(head, bytes) else { return .notOurs }
        guard bytes.readableBytes >= head.byteCount + head.contentLength else { return .incomplete(hasHead: true) }
        let room = desk.bodies.room(for: order.parties.account)
        guard room.grow(by: head.contentLength),
            let input = bytes.getSlice(at: bytes.readerIndex + head.byteCount, length: head.contentLength),
            // With memory of its own: the buffer it came in is larger, and there will be another.
            let call = try? desk.request(order, input.withUnsafeReadableBytes { ByteBuffer(bytes: $0) })
        else { return .notOurs }
        bytes.moveReaderIndex(forwardBy: head.byteCount + head.contentLength)
        run(call, order, room, on: loop)
        return .taken
    }

    /// What a head asks for; nil when that is the router's to say.
    private func order(_ head: CallHead, _ bytes: ByteBuffer) -> CallOrder? {
        func part(_ range: Range<Int>) -> ByteBuffer {
            bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
        }
        let (target, key, kind) = (part(head.target), part(head.authorization), part(head.contentType))
        let revision = desk.catalog.revision
        if let last, last.revision == revision, last.target == target, last.authorization == key,
            last.contentType == kind
        {
            return last.order.again
        }
        var fields = HTTPFields()
        fields[.authorization] = String(buffer: key)
        if !head.contentType.isEmpty { fields[.contentType] = String(buffer: kind) }
        guard let caller = desk.authenticator.caller(fields), case .key = caller,
            let order = try? desk.order(URI(String(buffer: target)), fields, by: caller),
            order.parameters.output != .void
        else { return nil }
        func copy(_ part: ByteBuffer) -> ByteBuffer { part.withUnsafeReadableBytes { ByteBuffer(bytes: $0) } }
        last = Last(
            target: copy(target),
            authorization: copy(key),
            contentType: copy(kind),
            revision: revision,
            order: order
        )
        return order
    }

    private func run(_ call: CallRequest, _ order: CallOrder, _ room: BodyBudget.Room, on loop: any EventLoop) {
        state = .running
        let (lane, desk) = (NIOLoopBound(self, eventLoop: loop), desk)
        desk.invoker.begin(call) { reply in
            guard reply.isLong else {
                return loop.execute {
                    room.keepUntilHere()
                    lane.value.answer(desk.answer(reply, to: order))
                }
            }
            // Unstructured, for a moment: to look through a long result would keep the event loop from the others.
            Task {
                let answer = desk.answer(reply, to: order)
                loop.execute {
                    room.keepUntilHere()
                    lane.value.answer(answer)
                }
            }
        }
    }

    private func answer(_ answer: CallAnswer) {
        guard let context, context.channel.isActive else {
            state = .idle
            return
        }
        let isShort = answer.body.byteCount <= AnswerBody.pieceBytes
        var bytes = context.channel.allocator.buffer(capacity: 1_024 + (isShort ? answer.body.byteCount : 0))
        answer.writeHead(to: &bytes, server: serverName)
        // A short one leaves in one piece with its head.
        if isShort { bytes.writeImmutableBuffer(answer.body.whole) }
        state = .answering(isShort ? AnswerBody() : answer.body, answer.room)
        write(bytes, context)
        goOn()
    }

    /// Pieces of an answer in one turn of the event loop.
    private static let piecesMax = 4

    /// Writes what the connection takes of an answer; at its end the next request has its turn.
    ///
    /// Writing and flushing may call this again, when they change whether the connection takes more.
    func goOn() {
        for _ in 0..<Self.piecesMax {
            guard case .answering(var body, let room) = state, let context else { return }
            guard let piece = body.next() else { return finish(context) }
            guard context.channel.isWritable else { return context.flush() }
            state = .answering(body, room)
            write(piece, context)
        }
        guard case .answering = state, let context else { return }
        context.flush()
        guard !isTurnScheduled else { return }
        isTurnScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isTurnScheduled = false
            self.goOn()
        }
    }

    private var isTurnScheduled = false
    /// Completed when the last piece of an answer has left; nil when nobody asks.
    private var lastWrite: EventLoopFuture<Void>?

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .answering(_, let room) = state, room != nil || isEnding else {
            return context.write(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
        }
        // The answer's room is given back once the connection has the last of it.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in room?.keepUntilHere() }
        lastWrite = promise.futureResult
        context.write(NIOAny(IOData.byteBuffer(bytes)), promise: promise)
    }

    private func finish(_ context: ChannelHandlerContext) {
        state = .idle
        let last = lastWrite
        lastWrite = nil
        context.flush()
        guard isEnding, let last else { return answered() }
        // Closed any earlier, the connection would lose what the kernel has not taken yet.
        state = .leaving
        last.assumeIsolated().whenComplete { _ in
            self.state = .idle
            self.answered()
        }
    }
}
