internal import AsyncHTTPClient
internal import NIOCore

/// A client of one daemon: typed verbs of the management API, and calls.
///
/// Every verb is one request with a deadline (``ClientLimits``); nothing is retried and no redirect is followed, because
/// the key would go along. It must end with ``close()``; ``connected(to:key:_:)`` sees to that.
public final class FaasClient: Sendable {
    /// Where the daemon listens.
    public let endpoint: Endpoint
    let key: String?
    let http: HTTPClient

    /// Makes a client; no connection is made before the first request.
    ///
    /// - Parameters:
    ///   - endpoint: where the daemon listens.
    ///   - key: the secret of an API key; nil over the daemon's own socket.
    /// - Throws: `ClientError.invalid` for a key that no header can carry.
    public init(endpoint: Endpoint, key: String? = nil) throws(ClientError) {
        if let key {
            let isPrintable = key.utf8.allSatisfy { UInt8(ascii: "!")...UInt8(ascii: "~") ~= $0 }
            guard isPrintable, 1...ClientLimits.keyCharactersMax ~= key.utf8.count else {
                // The value stays out of the message: it may be a secret with a blank in it.
                throw .invalid(
                    "key",
                    "…",
                    rule: "1 to \(ClientLimits.keyCharactersMax) printable characters, no blanks"
                )
            }
        }
        self.endpoint = endpoint
        self.key = key
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(ClientLimits.connectSeconds)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Ends the client and its connections.
    public func close() async {
        // A failed shutdown leaves nothing to do: the process owns no other use of these connections.
        try? await http.shutdown()
    }

    /// Runs a closure with a client and ends the client afterwards.
    ///
    /// - Parameters:
    ///   - endpoint: where the daemon listens.
    ///   - key: the secret of an API key; nil over the daemon's own socket.
    ///   - body: uses the client.
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw, or `ClientError.invalid`.
    public static func connected<Result>(
        to endpoint: Endpoint,
        key: String? = nil,
        _ body: (FaasClient) async throws -> Result
    ) async throws -> Result {
        let client = try FaasClient(endpoint: endpoint, key: key)
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }
}
