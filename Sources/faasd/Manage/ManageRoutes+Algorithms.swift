import Billing
import Catalog
import Crypto
import HTTPTypes
import Hummingbird
import Invoker
import Logging
import NIOCore

extension ManageRoutes {
    private struct AlgorithmBody: Encodable {
        var name: String
        var version: String
        var `public`: Bool
        var created: String

        init(_ algorithm: Algorithm) {
            name = "\(algorithm.owner)/\(algorithm.name)"
            version = algorithm.latest.number.description
            `public` = algorithm.latest.isPublic
            created = JSONReply.date(algorithm.createdMicroseconds)
        }
    }
    private struct VersionBody: Encodable {
        var version: String
        var hash: String
        var runtime: String
        var `public`: Bool
        var royalty_microcredits: Int64
        var memory_bytes: Int64
        var cpus: Int
        var timeout_seconds: Int
        var isolation: String
        var start: String
        var created: String

        init(_ version: AlgorithmVersion) {
            self.version = version.number.description
            hash = version.hash
            runtime = version.runtime
            `public` = version.isPublic
            royalty_microcredits = version.royaltyMicrocredits
            memory_bytes = version.memoryBytes
            cpus = version.cpus
            timeout_seconds = version.timeoutSeconds
            isolation = version.isolation.rawValue
            start = version.start.rawValue
            created = JSONReply.date(version.createdMicroseconds)
        }
    }
    private struct Deployed: Encodable {
        var name: String
        var version: String
        var hash: String
        var runtime: String
        var environment: String?
    }
    private struct LockBody: Encodable {
        var name: String
        var version: String
        var environment: String
        var interpreter: String
        var requirements: String

        init(_ version: AlgorithmVersion, _ lock: VersionLock) {
            name = version.algorithm
            self.version = version.number.description
            environment = lock.environment
            interpreter = lock.interpreter
            requirements = lock.requirements
        }
    }
    private struct Details: Encodable {
        var name: String
        var versions: [VersionBody]
    }
    private struct Deleted: Encodable {
        var name: String
        var deleted = true
    }

    func addAlgorithms(_ router: Router<EdgeContext>) {
        router.post("/v1/manage/algorithms/:owner/:name/versions", use: manager(deploy))
        router.get(
            "/v1/manage/algorithms",
            use: manager { request, _, caller in
                let all = try catalog.algorithms(owner: request.query("owner"))
                return JSONReply.results(
                    all.filter { $0.latest.isPublic || (try? requireOwner($0.owner, caller)) != nil }.map(
                        AlgorithmBody.init
                    )
                )
            }
        )
        router.get(
            "/v1/manage/algorithms/:owner/:name",
            use: manager { _, context, caller in
                let (owner, name) = Self.names(context)
                let versions = try catalog.versions(owner: owner, name: name, as: caller.viewer)
                return JSONReply.make(
                    .ok,
                    Details(
                        name: versions.first?.algorithm ?? "\(owner)/\(name)",
                        versions: versions.map(VersionBody.init)
                    )
                )
            }
        )
        router.get(
            "/v1/manage/algorithms/:owner/:name/versions/:version/lock",
            use: manager { _, context, caller in
                let (owner, name) = Self.names(context)
                let selector = context.parameters.get("version")
                try requireOwner(owner, caller)
                let version = try catalog.resolve(owner: owner, name: name, selector: selector, as: caller.viewer)
                guard let lock = try await lock(version) else {
                    throw ManageProblem(
                        status: .notFound,
                        type: "not_found",
                        message:
                            "\(version.algorithm)/\(version.number) was built before locks were kept: deploy it again"
                    )
                }
                return JSONReply.make(.ok, LockBody(version, lock))
            }
        )
        router.delete(
            "/v1/manage/algorithms/:owner/:name",
            use: manager { _, context, caller in
                let (owner, name) = Self.names(context)
                try requireOwner(owner, caller)
                try catalog.deleteAlgorithm(owner: owner, name: name)
                await Housekeeping.removeDeadVersions(catalog, invoker, store, logger)
                return JSONReply.make(.ok, Deleted(name: "\(owner)/\(name)"))
            }
        )
    }

    private static func names(_ context: EdgeContext) -> (owner: String, name: String) {
        (context.parameters.get("owner") ?? "", context.parameters.get("name") ?? "")
    }

    private func deploy(_ request: Request, _ context: EdgeContext, _ caller: Caller) async throws -> Response {
        let (owner, name) = Self.names(context)
        try requireOwner(owner, caller)
        _ = try user(owner)
        let room = bodies.room(for: owner)
        let archive = try await archive(request, room)
        var specification = VersionSpecification(hash: Self.hash(archive), storeKey: StoreKey.random())
        let bump = try Self.read(request, into: &specification)
        let version = try catalog.beginVersion(owner: owner, name: name, specification, bump: bump)
        let environment: String?
        do {
            try await builder.build(version, archive: archive)
            room.keepUntilHere()
            environment = try await lock(version)?.environment
            try await ledger.setRoyalty(
                versionID: version.id,
                algorithm: version.algorithm,
                author: version.owner,
                perCall: Microcredits(rawValue: version.royaltyMicrocredits)
            )
            try catalog.finishVersion(id: version.id)
        } catch {
            // It may have been deleted in the meantime; what went wrong with the build is what counts.
            try? catalog.failVersion(id: version.id)
            await Housekeeping.removeDeadVersions(catalog, invoker, store, logger)
            throw error
        }
        logger.info(
            "deployed",
            metadata: ["algorithm": "\(version.algorithm)", "version": "\(version.number)", "by": "\(caller.actor)"]
        )
        return JSONReply.make(
            .created,
            Deployed(
                name: version.algorithm,
                version: version.number.description,
                hash: version.hash,
                runtime: version.runtime,
                environment: environment
            )
        )
    }

    /// What a version was built with; nil for one that was built before locks were kept.
    private func lock(_ version: AlgorithmVersion) async throws -> VersionLock? {
        let (store, key) = (store, version.storeKey)
        return try await invoker.onThread { Result { try store.lock(key) } }.get()
    }

    private func archive(_ request: Request, _ room: BodyBudget.Room) async throws -> ByteBuffer {
        let most = limits.archiveBytesMax
        let tooLarge = ManageProblem(
            status: .contentTooLarge,
            type: "TooLargeError",
            message: "the archive is larger than \(most) bytes",
            field: "body",
            limit: "\(most)"
        )
        if let announced = request.headers[.contentLength].flatMap({ Int($0) }), announced > most {
            throw tooLarge
        }
        do {
            return try await bodies.collect(request.body, upTo: most, in: room)
        } catch BodyBudget.Failure.tooLarge {
            throw tooLarge
        } catch BodyBudget.Failure.noRoom {
            throw ManageProblem(
                status: .serviceUnavailable,
                type: "SystemError",
                message: "the server holds as many uploads as it may just now; try again in a minute"
            )
        }
    }

    /// The name of exactly these bytes: the first 40 hex digits of their SHA-256, in the form of a version hash.
    private static func hash(_ archive: ByteBuffer) -> String {
        let digest = archive.withUnsafeReadableBytes { SHA256.hash(data: $0) }
        return String(digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().prefix(40))
    }

    private static func read(
        _ request: Request,
        into specification: inout VersionSpecification
    ) throws(ManageProblem) -> VersionBump {
        var bump = VersionBump.minor
        for (key, value) in request.uri.queryParameters {
            let value = String(value)
            switch key {
            case "public": specification.isPublic = value == "true"
            case "royalty": specification.royaltyMicrocredits = try number("royalty", value)
            case "memory":
                let mebibytes: Int64 = try number("memory", value)
                guard let bytes = mebibytes.multipliedExact(by: 1 << 20) else { throw .invalid("memory", value, "MiB") }
                specification.memoryBytes = bytes
            case "cpus": specification.cpus = try number("cpus", value)
            case "timeout": specification.timeoutSeconds = try number("timeout", value)
            case "isolation":
                guard let isolation = Isolation(rawValue: value) else {
                    throw .invalid("isolation", value, "caller, call or shared")
                }
                specification.isolation = isolation
            case "start":
                guard let start = StartMode(rawValue: value) else {
                    throw .invalid("start", value, "fork, exec or template")
                }
                specification.start = start
            case "bump":
                guard let asked = VersionBump(rawValue: value) else {
                    throw .invalid("bump", value, "major, minor or revision")
                }
                bump = asked
            default:
                let known = "one of public, royalty, memory, cpus, timeout, isolation, start, bump"
                throw .invalid(String(key), value, known)
            }
        }
        return bump
    }

    private static func number<Number: FixedWidthInteger>(_ field: String, _ value: String) throws(ManageProblem)
        -> Number
    {
        guard let number = Number(value) else { throw .invalid(field, value, "a whole number") }
        return number
    }
}

extension Int64 {
    fileprivate func multipliedExact(by factor: Int64) -> Int64? {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
