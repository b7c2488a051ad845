import NIOCore

/// Lets the bytes of a connection to the parser a little at a time, and none behind a request that waits for its answer.
///
/// One read may bring thousands of requests, and the end of a connection everything its client has sent ahead; parsed at
/// once they would keep the event loop from all its other connections. So the bytes wait here, the socket is not read
/// while there are some, and between two slices the other connections have their turn. It stands before the parser; how
/// far the requests behind it are is what `RequestDeadline` sees.
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
    private var waiting = ByteBuffer()
    /// Whether the parser asked for more while some waited here.
    private var isReadWanted = false
    /// Whether the client has ended its side, which those behind learn after what it sent before.
    private var isInputClosed = false
    private var isTurnScheduled = false

    init(requests: RequestDeadline) { self.requests = requests }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        waiting.writeBuffer(&bytes)
        if !isTurnScheduled { takeTurn(context) }
        guard waiting.readableBytes > Self.waitingBytesMax else { return }
        waiting.clear()
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, waiting.readableBytes > 0 {
            isInputClosed = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        waiting.clear()
        isInputClosed = false
        context.fireChannelInactive()
    }

    func read(context: ChannelHandlerContext) {
        if waiting.readableBytes > 0 { isReadWanted = true } else { context.read() }
    }

    /// An answer may have ended: those who sent ahead get their next turn after the others.
    func flush(context: ChannelHandlerContext) {
        context.flush()
        scheduleTurn(context)
    }

    private func scheduleTurn(_ context: ChannelHandlerContext) {
        guard !isTurnScheduled, waiting.readableBytes > 0, requests.tally.parsableBytes > 0 else { return }
        isTurnScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isTurnScheduled = false
            guard self.waiting.readableBytes > 0 else { return }
            self.takeTurn(context)
            context.fireChannelReadComplete()
        }
    }

    private func takeTurn(_ context: ChannelHandlerContext) {
        for _ in 0..<Self.slicesMax {
            let count = min(waiting.readableBytes, requests.tally.parsableBytes)
            guard count > 0, let slice = waiting.readSlice(length: count) else { break }
            context.fireChannelRead(wrapInboundOut(slice))
        }
        guard waiting.readableBytes == 0 else { return scheduleTurn(context) }
        // Its memory goes with the last slice.
        waiting = ByteBuffer()
        if isInputClosed {
            isInputClosed = false
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        if isReadWanted {
            isReadWanted = false
            context.read()
        }
    }
}
