import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that take too long to say what they want, and no connection while its client still speaks.
///
/// A client that sends a byte now and then is never idle; this handler gives a request's head and its body an absolute
/// time each, so that half-sent requests cannot hold every connection the daemon may have. While a request is being
/// answered there is no clock here: the call's own deadline counts.
///
/// A client that asks for `Connection: close` and is answered before it has sent its whole body would never read that
/// answer if nobody read its body. So the wish is kept here, the server behind reads on as on any other connection, and
/// the connection ends when both sides have said all.
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
    /// When the connection is closed; nil while a request is being answered.
    private var limit: NIODeadline?
    /// One alarm for all limits: most are later than it rings, and then it is set anew.
    private var alarm: Scheduled<Void>?
    private var alarmTime = NIODeadline.uptimeNanoseconds(0)
    private var context: ChannelHandlerContext?
    /// What was asked and answered so far.
    private(set) var tally = RequestTally()
    private var closesAfterAnswer = false

    init(headMax: TimeAmount = RequestDeadline.head, bodyMax: TimeAmount = RequestDeadline.body) {
        self.headMax = headMax
        self.bodyMax = bodyMax
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { arm(headMax) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        alarm?.cancel()
    }

    func channelActive(context: ChannelHandlerContext) {
        arm(headMax)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        alarm?.cancel()
        context.fireChannelInactive()
    }

    /// The gate has a whole head, and waits for the body.
    func awaitBody() { arm(bodyMax) }

    /// The gate has a whole request, which does not come here.
    func take() {
        tally.take()
        limit = nil
    }

    /// That request was answered.
    func answerTaken() {
        tally.answer()
        arm(headMax)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        tally.read(part)
        switch part {
        case .head(var head):
            // One that was sent ahead has its time once it is its turn.
            if tally.unanswered == 1 { arm(bodyMax) }
            if head.headerFields[.connection]?.lowercased() == "close" {
                closesAfterAnswer = true
                head.headerFields[.connection] = nil
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: context.fireChannelRead(data)
        case .end:
            limit = nil
            context.fireChannelRead(data)
            rest(context)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where closesAfterAnswer:
            head.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            tally.answer()
            context.write(data, promise: promise)
            rest(context)
        default: context.write(data, promise: promise)
        }
    }

    /// Once everything that was asked is answered: wait for the next request, or end what was asked to end.
    private func rest(_ context: ChannelHandlerContext) {
        if tally.unanswered == 1, tally.isInBody { arm(bodyMax) }
        guard tally.unanswered == 0, !tally.isInBody else { return }
        guard closesAfterAnswer else { return arm(headMax) }
        context.flush()
        context.close(promise: nil)
    }

    private func arm(_ time: TimeAmount) {
        let end = NIODeadline.now() + time
        limit = end
        if alarm != nil, alarmTime <= end { return }
        alarm?.cancel()
        setAlarm(end)
    }

    private func setAlarm(_ end: NIODeadline) {
        alarmTime = end
        alarm = context?.eventLoop.assumeIsolated().scheduleTask(deadline: end) { self.ring() }
    }

    private func ring() {
        alarm = nil
        guard let limit, let context else { return }
        guard limit > .now() else { return context.channel.close(promise: nil) }
        setAlarm(limit)
    }
}
