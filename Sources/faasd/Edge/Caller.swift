import Catalog
import HTTPTypes
import Hummingbird

/// Who makes a request.
enum Caller: Sendable {
    /// A key that is known and not revoked.
    case key(ApiKey)
    /// Root or the daemon's user, over the Unix socket: an administrator.
    case peer
    /// No credential at all.
    case nobody
    /// A credential that is not, or no longer, one.
    case unknownKey

    var isAdministrator: Bool {
        switch self {
        case .peer: true
        case .key(let key): key.kind == .admin
        case .nobody, .unknownKey: false
        }
    }

    /// The name an administrator's act is logged under.
    var actor: String {
        switch self {
        case .key(let key): key.user
        case .peer: "administrator"
        case .nobody, .unknownKey: "nobody"
        }
    }

    /// Which private algorithms this caller sees.
    var viewer: Viewer {
        if isAdministrator { return .administrator }
        if case .key(let key) = self { return .user(key.user) }
        return .anyone
    }
}

/// Finds out who a caller is: by key, or by the credentials the kernel gives for a Unix socket.
struct Authenticator: Sendable {
    let catalog: Catalog
    /// Users who are administrators over the socket.
    let administrators: Set<UInt32>

    func caller(_ request: Request, _ context: EdgeContext) async -> Caller {
        if let caller = caller(request.headers) { return caller }
        if let user = await context.peerUser(), administrators.contains(user) { return .peer }
        return .nobody
    }

    /// Who a caller is by its key; nil when it sent none.
    func caller(_ headers: HTTPFields) -> Caller? {
        guard let header = headers[.authorization], let secret = Self.secret(header) else { return nil }
        return catalog.key(forSecret: secret).map(Caller.key) ?? .unknownKey
    }

    /// `KEY`, `Simple KEY` or `Bearer KEY`: the forms the clients send.
    static func secret(_ header: String) -> String? {
        let parts = header.split(separator: " ", omittingEmptySubsequences: true)
        switch parts.count {
        case 1: return String(parts[0])
        case 2 where ["simple", "bearer"].contains(parts[0].lowercased()): return String(parts[1])
        case 0: return nil
        default: return header
        }
    }
}
