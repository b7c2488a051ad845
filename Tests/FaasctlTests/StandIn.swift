import Glibc
import Synchronization

/// Something that listens on a real Unix socket, notes each request and answers as it is told.
final class StandIn: Sendable {
    struct Request: Sendable {
        let line: String
        let headers: String
        let body: String
    }

    let socketPath: String
    private let descriptor: Int32
    private let seen = Mutex<[Request]>([])

    /// Listens; `answer` gives the raw bytes to send for a request line such as `GET /v1/manage/users`.
    init(_ socketPath: String, answer: @escaping @Sendable (String) -> String) throws {
        self.socketPath = socketPath
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(descriptor, 16) == 0 else { throw Failure(errno: errno) }
        serve(answer)
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    struct Failure: Error { let errno: Int32 }

    var requests: [Request] { seen.withLock { $0 } }

    static func json(_ body: String, status: String = "200 OK", headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\n\(headers)content-length: \(body.utf8.count)\r\nconnection: close\r\n\r\n\(body)"
    }

    private func serve(_ answer: @escaping @Sendable (String) -> String) {
        let descriptor = descriptor
        let note: @Sendable (Request) -> Void = { [weak self] request in self?.seen.withLock { $0.append(request) } }
        // A thread, not a task: `accept` and `read` block.
        let body: @Sendable () -> Void = {
            while true {
                let peer = accept(descriptor, nil, nil)
                guard peer >= 0 else { break }
                if let request = Self.read(peer) {
                    note(request)
                    let bytes = Array(answer(request.line).utf8)
                    _ = bytes.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                }
                close(peer)
            }
            close(descriptor)
        }
        Threads.start(body)
    }

    private static func read(_ peer: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(peer, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return nil }
            bytes += buffer.prefix(count)
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
            let head = text[..<end.lowerBound]
            let length = head.lowercased().firstMatch(of: /content-length: ([0-9]+)/).flatMap { Int($0.1) } ?? 0
            let headBytes = text[..<end.upperBound].utf8.count
            guard bytes.count >= headBytes + length else { continue }
            let lines = head.split(separator: "\r\n", maxSplits: 1)
            let words = lines[0].split(separator: " ")
            return Request(
                line: words.prefix(2).joined(separator: " "),
                headers: lines.count > 1 ? lines[1].lowercased() : "",
                body: String(decoding: bytes[headBytes...], as: UTF8.self)
            )
        }
    }
}

private enum Threads {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(run)).toOpaque()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            argument
        )
        precondition(code == 0, "pthread_create: \(code)")
        pthread_detach(thread)
    }
}
