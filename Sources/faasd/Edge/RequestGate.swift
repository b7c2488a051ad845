import NIOCore

/// Lets the bytes of a connection to the parser a little at a time, and none behind a request that waits for its answer.
///
/// One read may bring thousands of requests, and the end of a connection everything its client has sent ahead; parsed at
/// once they would keep the event loop from all its other connections. So the bytes wait here, the socket is not read
/// while there are some, and between two slices the other connections have their turn. It stands before the parser; how
/// far the requests behind it are is what `RequestDeadline` sees.
///
/// Ordinary calls do not get to the parser at all: `CallLane` takes them from here.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Most bytes that may wait; more come unasked at the end of a connection only, and end it.
    static let waitingBytesMax = 1 << 20
    /// Slices in one turn of the event loop.
    private static let slicesMax = 16

    private let requests: RequestDeadline
    private let lane: CallLane
    private var boundary = RequestBoundary()
    private var waiting = ByteBuffer()
    /// Whether the parser asked for more while some waited here.
    private var isReadWanted = false
    /// Events that those behind learn after what the client sent before: it ended its side, the server stops.
    private var isInputClosed = false
    private var isStopping = false
    private var isTurnScheduled = false

    init(requests: RequestDeadline, lane: CallLane) { (self.requests, self.lane) = (requests, lane) }

    func handlerAdded(context: ChannelHandlerContext) { lane.open(context) { self.laneAnswered(context) } }

    func handlerRemoved(context: ChannelHandlerContext) { lane.close() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if waiting.readableBytes == 0 {
            waiting = bytes
        } else {
            // Otherwise what was taken from its front would stay in memory for as long as something waits behind it.
            waiting.discardReadBytes()
            waiting.writeBuffer(&bytes)
        }
        if !isTurnScheduled { takeTurn(context) }
        guard waiting.readableBytes > Self.waitingBytesMax else { return }
        waiting.clear()
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, waiting.readableBytes > 0 || lane.isBusy {
            isInputClosed = true
            lane.isEnding = true
            // Nothing will complete what has begun.
            if isWaitingForRest { passRest(context) }
        } else if event is ChannelShouldQuiesceEvent, lane.isBusy || isWaitingForRest {
            isStopping = true
            lane.isEnding = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        waiting.clear()
        isInputClosed = false
        lane.close()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        lane.goOn()
        scheduleTurn(context)
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        if waiting.readableBytes > 0, !isWaitingForRest { isReadWanted = true } else { context.read() }
    }

    /// An answer may have ended: those who sent ahead get their next turn after the others.
    func flush(context: ChannelHandlerContext) {
        context.flush()
        boundary.settle(requests.tally)
        scheduleTurn(context)
    }

    /// Whether what waits is the beginning of a call, of which more must be read.
    private var isWaitingForRest = false
    /// Whether its head is there, and the time for its body runs.
    private var isBodyAwaited = false

    private func laneAnswered(_ context: ChannelHandlerContext) {
        requests.answerTaken()
        if isStopping {
            isStopping = false
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        if waiting.readableBytes > 0 { scheduleTurn(context) } else { tellEnd(context) }
    }

    private func scheduleTurn(_ context: ChannelHandlerContext) {
        guard !isTurnScheduled, waiting.readableBytes > 0, requests.tally.parsableBytes > 0, !isWaitingForRest,
            context.channel.isWritable || !boundary.isBetween
        else { return }
        isTurnScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isTurnScheduled = false
            guard self.waiting.readableBytes > 0 else { return }
            self.takeTurn(context)
            context.fireChannelReadComplete()
        }
    }

    private func takeTurn(_ context: ChannelHandlerContext) {
        isWaitingForRest = false
        for _ in 0..<Self.slicesMax {
            guard waiting.readableBytes > 0 else { break }
            // Not while the client leaves answers unread: the next ones would gather in memory.
            if boundary.isBetween, requests.tally.unanswered == 0, !context.channel.isWritable { break }
            if boundary.isBetween, requests.tally.unanswered == 0, let step = laneStep() {
                if step == .taken { continue }
                break
            }
            let count = slice(requests.tally.parsableBytes)
            guard count > 0, let slice = waiting.readSlice(length: count) else { break }
            context.fireChannelRead(wrapInboundOut(slice))
            slice.withUnsafeReadableBytes { boundary.passed($0, requests.tally) }
        }
        guard waiting.readableBytes == 0 else {
            if isWaitingForRest, isInputClosed { return passRest(context) }
            if isWaitingForRest, isReadWanted {
                isReadWanted = false
                context.read()
            }
            return scheduleTurn(context)
        }
        // Its memory goes with the last slice.
        waiting = ByteBuffer()
        if !lane.isBusy { tellEnd(context) }
        if isReadWanted {
            isReadWanted = false
            context.read()
        }
    }

    private enum LaneStep { case taken, waits }

    /// What becomes of the next request without the parser; nil when it must go there.
    private func laneStep() -> LaneStep? {
        switch lane.take(&waiting) {
        case .taken:
            isBodyAwaited = false
            requests.take()
            return .taken
        case .incomplete(let hasHead):
            isWaitingForRest = true
            // Once for each call: a byte now and then does not buy more time.
            if hasHead, !isBodyAwaited { requests.awaitBody() }
            isBodyAwaited = hasHead
            return .waits
        case .notOurs:
            isBodyAwaited = false
            return nil
        }
    }

    private func slice(_ most: Int) -> Int {
        waiting.withUnsafeReadableBytes { boundary.sliceLength($0, most: most) }
    }

    /// Has the parser see what will not be completed, and say so.
    private func passRest(_ context: ChannelHandlerContext) {
        isWaitingForRest = false
        let rest = waiting
        waiting = ByteBuffer()
        context.fireChannelRead(wrapInboundOut(rest))
        rest.withUnsafeReadableBytes { boundary.passed($0, requests.tally) }
        tellEnd(context)
    }

    private func tellEnd(_ context: ChannelHandlerContext) {
        guard isInputClosed else { return }
        isInputClosed = false
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }
}
