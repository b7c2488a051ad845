import NIOCore
import NIOHTTP1

/// Ends connections of HTTP/1.0 after their answer, as their clients expect who do not ask to keep them.
///
/// It stands where the version of a request is still known, and says the same in the words of HTTP/1.1.
///
/// - Source: RFC 9112, 9.3.
final class OldClients: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data), !head.isKeepAlive else {
            return context.fireChannelRead(data)
        }
        head.headers.replaceOrAdd(name: "connection", value: "close")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
