import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Tells a client that waits before it sends a body to go on, as curl does with bodies over a mebibyte.
///
/// Without it such a client gives up waiting after a second, and each of its calls takes one longer. A body that no
/// route would take is not asked for: its refusal is the answer.
///
/// - Source: RFC 9110, 10.1.1.
final class ExpectContinue: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private let bodyBytesMax: Int

    init(bodyBytesMax: Int) { self.bodyBytesMax = bodyBytesMax }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), isAsking(head.headerFields) {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        context.fireChannelRead(data)
    }

    private func isAsking(_ fields: HTTPFields) -> Bool {
        guard fields[.expect]?.lowercased() == "100-continue" else { return false }
        return (fields[.contentLength].flatMap { Int($0) } ?? 0) <= bodyBytesMax
    }
}
