internal import FoundationEssentials

/// Where the daemon listens.
public enum Endpoint: Sendable, Equatable {
    /// The daemon's own Unix socket, whose peer is an administrator.
    case socket(path: String)
    /// An HTTP or HTTPS address without a trailing slash; it may have a path prefix.
    case server(url: String)

    /// Checks the path of a socket.
    ///
    /// - Parameter path: at most 107 bytes, which is what the kernel takes.
    /// - Throws: `ClientError.invalid`.
    public init(socketPath path: String) throws(ClientError) {
        guard 1...ClientLimits.socketPathBytesMax ~= path.utf8.count, !path.utf8.contains(0) else {
            throw .invalid("socket", path, rule: "a path of 1 to \(ClientLimits.socketPathBytesMax) bytes")
        }
        self = .socket(path: path)
    }

    /// Checks the address of a server.
    ///
    /// - Parameter address: `http://` or `https://`, a host, and maybe a port and a path.
    /// - Throws: `ClientError.invalid`.
    public init(serverAddress address: String) throws(ClientError) {
        let rule = "an address like http://127.0.0.1:8080 or https://faas.example.com"
        guard let url = URL(string: address), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = url.host(), !host.isEmpty,
            url.query() == nil, url.fragment() == nil, url.user() == nil
        else {
            throw .invalid("server", address, rule: rule)
        }
        var trimmed = address[...]
        while trimmed.last == "/" { trimmed.removeLast() }
        self = .server(url: String(trimmed))
    }

    /// What requests are put after.
    package var baseURL: String {
        switch self {
        case .socket(let path): "http+unix://\(path.percentEncoded)"
        case .server(let url): url
        }
    }
}

extension Endpoint: CustomStringConvertible {
    /// The path or the address.
    public var description: String {
        switch self {
        case .socket(let path): path
        case .server(let url): url
        }
    }
}

extension String {
    /// Every byte but letters, digits and `-._~` as `%XX` (RFC 3986, section 2.3).
    package var percentEncoded: String {
        var encoded = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                scalar.properties.isAlphabetic || "0"..."9" ~= scalar || "-._~".unicodeScalars.contains(scalar)
            {
                encoded.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
