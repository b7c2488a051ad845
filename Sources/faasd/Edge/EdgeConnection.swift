import Glibc
import HummingbirdCore
import Invoker
import Logging
import NIOCore
import NIOHTTPTypesHTTP1

/// One connection of HTTP/1.1, with what protects the daemon from its client.
///
/// From the socket inwards: `UnreadDeadline`, `RequestGate`, the parser, `OldClients`, `ExpectContinue`, `RequestDeadline`, the
/// router. `CallLane` takes ordinary calls at the gate.
struct EdgeConnection: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    /// What the kernel takes of an answer beyond what is on its way.
    ///
    /// Clients that do not read cost less of its memory then, and it takes more as soon as a client has, so that slow
    /// ones are told from those that stopped.
    ///
    /// - Source: `TCP_NOTSENT_LOWAT` of the kernel's Documentation/networking/ip-sysctl.rst.
    private static let unsentBytesMax: ChannelOptions.Types.SocketOption.Value = 128 << 10
    private static let unsentOption = NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)

    private let http: HTTP1Channel
    private let desk: CallDesk
    private let serverName: String
    private let unreadMax: TimeAmount

    init(desk: CallDesk, serverName: String, responder: @escaping HTTPChannelHandler.Responder) {
        let limits = desk.limits
        (self.desk, self.serverName) = (desk, serverName)
        unreadMax = TimeAmount(limits.unreadMax)
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [ExpectContinue(bodyBytesMax: limits.archiveBytesMax), RequestDeadline()]
            )
        )
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(OldClients(), position: .before(codec))
            let requests = try pipeline.handler(type: RequestDeadline.self)
            try pipeline.addHandler(
                RequestGate(requests: requests, lane: CallLane(desk: desk, serverName: serverName)),
                position: .first
            )
            try pipeline.addHandler(UnreadDeadline(interval: unreadMax), position: .first)
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            // A socket of the Unix domain has no such option, and little room anyway.
            try? channel.syncOptions?.setOption(.tcpOption(Self.unsentOption), value: Self.unsentBytesMax)
            return value
        }
    }

    func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }
}
