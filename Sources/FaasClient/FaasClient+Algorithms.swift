internal import AsyncHTTPClient
internal import NIOCore

/// How a deployed version will run.
public struct DeployOptions: Sendable, Equatable {
    /// Whether anyone may call it.
    public var isPublic = false
    /// What its owner gets for a call, in microcredits.
    public var royaltyMicrocredits: Int64?
    /// Memory of a worker, in MiB.
    public var memoryMebibytes: Int?
    /// Processors of a worker.
    public var cpus: Int?
    /// Time of a call, in seconds.
    public var timeoutSeconds: Int?
    /// Which calls may share a worker: `caller`, `call` or `shared`.
    public var isolation: String?
    /// How workers come to be: `fork`, `exec` or `template`.
    public var start: String?
    /// Which part of the number counts up: `major`, `minor` or `revision`.
    public var bump: String?

    /// Leaves every limit to the daemon.
    public init() {}
}

/// Algorithms and their versions.
extension FaasClient {
    /// Deploys a new version and waits until it is built.
    ///
    /// - Parameters:
    ///   - owner: the user who owns the algorithm.
    ///   - name: the algorithm's name.
    ///   - archive: a tar.gz, at most 100 MiB.
    ///   - options: how it will run.
    ///   - uploaded: called once the last byte was handed to the connection.
    /// - Returns: the version.
    /// - Throws: `ClientError`.
    public func deploy(
        owner: String,
        name: String,
        archive: [UInt8],
        options: DeployOptions,
        uploaded: @escaping @Sendable () -> Void = {}
    ) async throws(ClientError) -> Answer<Deployed> {
        guard archive.count <= ClientLimits.archiveBytesMax else {
            throw .invalid("archive", "\(archive.count) bytes", rule: "at most \(ClientLimits.archiveBytesMax) bytes")
        }
        var request = Request(.post, "v1", "manage", "algorithms", owner, name, "versions")
            .adding("public", "\(options.isPublic)")
            .adding("royalty", options.royaltyMicrocredits.map { "\($0)" })
            .adding("memory", options.memoryMebibytes.map { "\($0)" })
            .adding("cpus", options.cpus.map { "\($0)" })
            .adding("timeout", options.timeoutSeconds.map { "\($0)" })
            .adding("isolation", options.isolation)
            .adding("start", options.start)
            .adding("bump", options.bump)
            .within(seconds: ClientLimits.deploySeconds)
        request.headers.append(("content-type", "application/gzip"))
        let chunks = UploadChunks(buffer: ByteBuffer(bytes: archive), finished: uploaded)
        request.body = .stream(chunks, length: .known(Int64(archive.count)))
        return try await send(request)
    }

    /// Lists the algorithms of one user, or of all.
    public func algorithms(owner: String? = nil) async throws(ClientError) -> Answer<Results<AlgorithmRecord>> {
        try await send(Request(.get, "v1", "manage", "algorithms").adding("owner", owner))
    }

    /// Shows an algorithm with its versions.
    public func algorithm(owner: String, name: String) async throws(ClientError) -> Answer<AlgorithmDetails> {
        try await send(Request(.get, "v1", "manage", "algorithms", owner, name))
    }

    /// Shows what a version was built with.
    public func lock(
        owner: String,
        name: String,
        version: String
    ) async throws(ClientError) -> Answer<VersionLockRecord> {
        try await send(Request(.get, "v1", "manage", "algorithms", owner, name, "versions", version, "lock"))
    }

    /// Deletes an algorithm with all its versions.
    public func deleteAlgorithm(owner: String, name: String) async throws(ClientError) -> Answer<DeletedAlgorithm> {
        try await send(Request(.delete, "v1", "manage", "algorithms", owner, name))
    }
}

/// An archive in pieces, so that its end can be noticed while the daemon is still building.
private struct UploadChunks: AsyncSequence, Sendable {
    let buffer: ByteBuffer
    let finished: @Sendable () -> Void

    func makeAsyncIterator() -> Iterator { Iterator(rest: buffer, finished: finished) }

    struct Iterator: AsyncIteratorProtocol {
        var rest: ByteBuffer
        let finished: @Sendable () -> Void

        mutating func next() async -> ByteBuffer? {
            let count = Swift.min(rest.readableBytes, ClientLimits.uploadChunkBytes)
            guard count > 0, let chunk = rest.readSlice(length: count) else {
                finished()
                return nil
            }
            return chunk
        }
    }
}
