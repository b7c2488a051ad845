internal import AsyncHTTPClient
internal import NIOCore

/// A method of the management API.
enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
}

/// One request, before it is put on the wire.
struct Request: Sendable {
    let method: Method
    let path: [String]
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: HTTPClientRequest.Body?
    var timeoutSeconds = ClientLimits.requestSeconds

    init(_ method: Method, _ path: String...) { self.init(method, path: path) }

    init(_ method: Method, path: [String]) {
        self.method = method
        self.path = path
    }

    /// The path with its query, each part percent-encoded.
    var target: String {
        let path = "/" + path.map(\.percentEncoded).joined(separator: "/")
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\($0.name)=\($0.value.percentEncoded)" }.joined(separator: "&")
    }

    /// The method and path, for messages.
    var summary: String { "\(method.rawValue) /\(path.joined(separator: "/"))" }

    func adding(_ name: String, _ value: String?) -> Request {
        guard let value else { return self }
        var request = self
        request.query.append((name, value))
        return request
    }

    func carrying(_ bytes: [UInt8], as contentType: String) -> Request {
        var request = self
        request.headers.append(("content-type", contentType))
        request.body = .bytes(ByteBuffer(bytes: bytes))
        return request
    }

    func within(seconds: Int64) -> Request {
        var request = self
        request.timeoutSeconds = seconds
        return request
    }
}

/// A whole answer.
struct Reply: Sendable {
    let status: Int
    let retryAfterSeconds: Int?
    let body: [UInt8]

    var isSuccess: Bool { 200..<300 ~= status }
}
