import Glibc
import Metrics
import NIOCore

/// Closes connections whose clients do not read what they are sent, so that an answer takes its memory for a bounded time.
///
/// What is closed is reset: the kernel then drops what it still holds for that client as well.
final class UnreadDeadline: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let interval: TimeAmount
    private var pace = ReadingPace()
    private var alarm: Scheduled<Void>?

    init(interval: TimeAmount) { self.interval = interval }

    func handlerRemoved(context: ChannelHandlerContext) { alarm?.cancel() }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        pace.writtenBytes += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        guard alarm == nil, unread(context) > 0 else { return }
        pace.begin(unreadBytes: unread(context))
        arm(context)
    }

    private func arm(_ context: ChannelHandlerContext) {
        alarm = context.eventLoop.assumeIsolated().scheduleTask(in: interval) {
            self.alarm = nil
            switch self.pace.judge(unreadBytes: self.unread(context)) {
            case .done: break
            case .goesOn: self.arm(context)
            case .tooSlow: self.reset(context)
            }
        }
    }

    /// Bytes that the kernel did not take yet, because the client did not read those before.
    private func unread(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private func reset(_ context: ChannelHandlerContext) {
        Counter(label: "faasd_unread_connections_closed_total").increment()
        _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        context.close(promise: nil)
    }
}

/// Whether a client takes what is sent to it quickly enough: pure.
struct ReadingPace: Sendable, Equatable {
    /// What a client must take in an interval while there is as much for it.
    static let bytesMin = 256 << 10

    enum Verdict: Sendable, Equatable { case done, goesOn, tooSlow }

    /// Bytes written to the connection since it was opened.
    var writtenBytes = 0
    private var takenBefore = 0

    /// An interval begins in which so many of the bytes written wait to be taken.
    mutating func begin(unreadBytes: Int) { takenBefore = writtenBytes - unreadBytes }

    /// At the end of an interval; when it goes on, the next begins.
    mutating func judge(unreadBytes: Int) -> Verdict {
        guard unreadBytes > 0 else { return .done }
        let taken = writtenBytes - unreadBytes - takenBefore
        guard taken >= Self.bytesMin else { return .tooSlow }
        begin(unreadBytes: unreadBytes)
        return .goesOn
    }
}
