internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOPosix

extension Unreachable {
    /// Says in plain words what a connection's error means.
    init(_ error: any Error, at endpoint: Endpoint, afterSeconds seconds: Int64) {
        let code = Self.errorNumber(error)
        self.init(
            endpoint: endpoint,
            cause: code.map { String(cString: strerror($0)) } ?? Self.words(error, seconds: seconds),
            remedy: Self.remedy(code, endpoint)
        )
    }

    private static func errorNumber(_ error: any Error) -> CInt? {
        if let error = error as? IOError { return error.errnoCode }
        let failures = (error as? NIOConnectionError)?.connectionErrors ?? []
        return failures.lazy.compactMap { $0.error as? IOError }.first?.errnoCode
    }

    private static func words(_ error: any Error, seconds: Int64) -> String {
        if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty {
            return "the host name \(error.host) has no address"
        }
        if case .ioOnClosedChannel? = error as? ChannelError { return closed }
        switch error as? HTTPClientError {
        case .deadlineExceeded?: return "no complete answer within \(seconds) s"
        case .connectTimeout?: return "no connection within \(ClientLimits.connectSeconds) s"
        case .remoteConnectionClosed?: return closed
        case let known?: return known.shortDescription
        case nil: return "\(error)"
        }
    }

    private static let closed = "the connection was closed before the answer was complete"

    private static func remedy(_ code: CInt?, _ endpoint: Endpoint) -> String {
        switch (endpoint, code) {
        case (.socket, ENOENT): "Is faasd running, and is this its socket (STATE_DIR/faasd.sock)?"
        case (.socket, ECONNREFUSED): "The socket is left over: is faasd running?"
        case (.socket, EACCES): "Only root and the daemon's user may use the socket: try sudo, or --server with --key"
        case (.server, ECONNREFUSED): "Is faasd running, and does it listen on this port?"
        case (_, EPIPE), (_, ECONNRESET): "It was closed while the request was being sent: faasd's log may say why"
        default: ""
        }
    }
}
