import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that take too long to say what they want.
///
/// A client that sends a byte now and then is never idle; this handler gives a request's head and its body an absolute
/// time each, so that half-sent requests cannot hold every connection the daemon may have. While a request is being
/// answered there is no clock here: the call's own deadline counts.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// From the connection, or the last answer, to a whole head.
    static let head: TimeAmount = .seconds(60)
    /// From the head to the end of the body.
    static let body: TimeAmount = .seconds(300)

    private let headMax: TimeAmount
    private let bodyMax: TimeAmount
    private var alarm: Scheduled<Void>?
    private var isInBody = false
    /// Requests that came whole and are not answered yet; more than one when a client sends ahead.
    private var unanswered = 0

    init(headMax: TimeAmount = RequestDeadline.head, bodyMax: TimeAmount = RequestDeadline.body) {
        self.headMax = headMax
        self.bodyMax = bodyMax
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { arm(headMax, context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        arm(headMax, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        alarm?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isInBody = true
            arm(bodyMax, context)
        case .body: break
        case .end:
            isInBody = false
            unanswered += 1
            alarm?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            unanswered = max(0, unanswered - 1)
            if unanswered == 0 && !isInBody { arm(headMax, context) }
        }
        context.write(data, promise: promise)
    }

    private func arm(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        alarm?.cancel()
        let channel = context.channel
        alarm = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
