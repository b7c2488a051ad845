import Foundation
import Hummingbird
import Logging
import NIOCore
import Sandbox

/// What a request brings along: where it came in, and who is at the other end of a Unix socket.
struct EdgeContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        // The concurrency library's threads are started by whoever has work for them, often the event loop.
        Processors.useAll()
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The user at the other end of a Unix socket, nil for any other connection: unix(7), SO_PEERCRED.
    func peerUser() async -> UInt32? {
        guard case .unixDomainSocket = channel.localAddress, let provider = channel as? any SocketOptionProvider else {
            return nil
        }
        let credentials: Credentials? = try? await provider.unsafeGetSocketOption(
            level: .socket,
            name: .init(rawValue: NIOBSDSocket.Option.RawValue(SO_PEERCRED))
        ).get()
        return credentials?.uid
    }

    /// The layout of `struct ucred`, which the system's headers hide from Swift.
    private struct Credentials: Sendable {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
    }
}
