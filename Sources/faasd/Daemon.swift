import Billing
import Catalog
import Foundation
import Hummingbird
import HummingbirdCore
import Invoker
import Logging
import Metrics
import NIOCore
import NIOPosix
import Sandbox
import ServiceLifecycle
import UnixSignals

/// The unprivileged daemon: composition of its parts, their life, and their end.
enum Daemon {
    /// Serves until SIGTERM, and returns the exit code.
    static func serve(_ prepared: Startup.Prepared) async -> Int32 {
        // One event loop for two processors: workers and ledger need as many, and fewer loops do more each time they wake.
        NIOSingletons.groupLoopCountSuggestion = max(1, System.coreCount / 2)
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { loop.execute { Processors.stayOnOne() } }
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "faasd")
        logger.logLevel =
            ProcessInfo.processInfo.environment["LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) } ?? .info
        do {
            let parts = try await Parts(prepared, logger)
            try await parts.run()
            await parts.end()
            logger.info("stopped")
            return 0
        } catch {
            Shutdown.begin()
            prepared.spawner.shutDown()
            Console.complain("faasd: \(explain(error, prepared.address))")
            return 1
        }
    }

    private static func explain(_ error: any Error, _ address: ListenAddress) -> String {
        guard let cause = error as? IOError, [EADDRINUSE, EACCES, EADDRNOTAVAIL].contains(cause.errnoCode) else {
            return "\(error)"
        }
        let reason = String(cString: strerror(cause.errnoCode))
        return "cannot listen on \(address.host):\(address.port): \(reason); choose another with --listen"
    }

    /// Everything that lives as long as the daemon.
    struct Parts: Sendable {
        let prepared: Startup.Prepared
        let logger: Logger
        let catalog: Catalog
        let ledger: Ledger
        let invoker: Invoker
        let store: VersionStore
        let registry = PrometheusRegistry()
        let bodies: BodyBudget
        let headKey: HeadKey
        let auditWatch: AuditWatch
        /// What answers say served them.
        private static let name = "faasd"

        /// Without limits on boxes there is one user at most, and the log says so loudly.
        private static func openCatalog(_ prepared: Startup.Prepared, _ logger: Logger) throws -> Catalog {
            let missing = prepared.limitsMissing.joined(separator: ", ")
            let catalog = try Catalog(
                path: prepared.stateDirectory + "/catalog.db",
                usersMax: missing.isEmpty ? .max : 1
            )
            guard !missing.isEmpty else { return catalog }
            guard catalog.users().count <= 1 else {
                throw StartupError(
                    "--insecure-single-tenant: this state directory has \(catalog.users().count) users, and without limits on \(missing) one may be served; see: faasd doctor"
                )
            }
            logger.critical("INSECURE: boxes have no limit on \(missing); any code can take this host down")
            return catalog
        }

        init(_ prepared: Startup.Prepared, _ logger: Logger) async throws {
            self.prepared = prepared
            self.logger = logger
            MetricsSystem.bootstrap(registry)
            let limits = prepared.configuration.limits
            catalog = try Self.openCatalog(prepared, logger)
            ledger = try Ledger(
                path: prepared.files.ledger,
                prices: prepared.configuration.prices,
                limits: prepared.configuration.ledger
            ) { error in
                // Whether the last charges are durable is unknown: only a restart can tell.
                logger.critical("the ledger cannot go on", metadata: ["error": "\(error)"])
                exit(74)
            }
            bodies = BodyBudget(bytesMax: limits.bodyBytesMax)
            store = VersionStore(path: prepared.storePath, limits: limits)
            invoker = Invoker(spawner: prepared.spawner, ledger: ledger, store: store, limits: limits, logger: logger)
            headKey = try HeadKey(path: prepared.files.headKey, makingIfMissing: true)
            auditWatch = AuditWatch(
                ledger: ledger,
                path: prepared.files.ledger,
                marker: prepared.files.marker,
                interval: .seconds(prepared.configuration.auditSeconds),
                logger: logger
            )
            try await reconcile()
        }

        /// Brings the two databases and the store back together after a run that ended at any point.
        private func reconcile() async throws {
            for user in catalog.users() { try await ledger.openAccount(user.name) }
            await Housekeeping.removeDeadVersions(catalog, invoker, store, logger)
        }

        func run() async throws {
            let address = prepared.address
            try? FileManager.default.removeItem(atPath: prepared.socketPath)
            let tcp = application(.hostname(address.host, port: address.port))
            let unix = application(.unixDomainSocket(path: prepared.socketPath))
            let housekeeping = Housekeeping(
                catalog: catalog,
                ledger: ledger,
                invoker: invoker,
                store: store,
                interval: .seconds(10),
                logger: logger
            )
            let keeping = WorkerKeeping(
                wishes: WorkerWishes(catalog: catalog, ledger: ledger),
                invoker: invoker,
                interval: .seconds(10)
            )
            let drain = Duration.seconds(prepared.configuration.drainSeconds)
            var configuration = ServiceGroupConfiguration(
                services: [
                    .init(service: tcp), .init(service: unix),
                    .init(service: housekeeping), .init(service: keeping), .init(service: auditWatch),
                    .init(service: SpawnerWatch(spawner: prepared.spawner, drain: drain, logger: logger)),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
            configuration.maximumGracefulShutdownDuration = drain + .seconds(10)
            try await ServiceGroup(configuration: configuration).run()
        }

        /// After the listeners: finish or kill what runs, then close the books, then let the spawner go.
        func end() async {
            Shutdown.begin()
            await ledger.drain()
            await invoker.shutDown()
            ledger.close()
            prepared.spawner.shutDown()
            _ = prepared.spawner.waitForExit()
        }

        private func application(_ address: BindAddress) -> some ApplicationProtocol {
            let authenticator = Authenticator(catalog: catalog, administrators: [0, prepared.user.uid])
            let limits = prepared.configuration.limits
            let router = Router(context: EdgeContext.self)
            let desk = CallDesk(
                catalog: catalog,
                invoker: invoker,
                authenticator: authenticator,
                limits: limits,
                bodies: bodies,
                lowCredit: prepared.configuration.lowCredit,
                logger: logger
            )
            CallRoutes(desk: desk).add(to: router)
            ManageRoutes(
                catalog: catalog,
                ledger: ledger,
                builder: Builder(invoker: invoker, store: store),
                invoker: invoker,
                store: store,
                authenticator: authenticator,
                limits: limits,
                bodies: bodies,
                files: prepared.files,
                headKey: headKey,
                auditWatch: auditWatch,
                logger: logger
            ).add(to: router)
            HealthRoutes(
                registry: registry,
                invoker: invoker,
                ledger: ledger,
                auditWatch: auditWatch,
                authenticator: authenticator
            ).add(to: router)
            return Application(
                router: router,
                server: HTTPServerBuilder { EdgeConnection(desk: desk, serverName: Self.name, responder: $0) },
                configuration: .init(
                    address: address,
                    serverName: Self.name,
                    // As many may knock at once as may be connected; the kernel's own bound is net.core.somaxconn.
                    backlog: prepared.configuration.connectionsMax,
                    availableConnectionsDelegate: MaximumAvailableConnections(prepared.configuration.connectionsMax)
                ),
                onServerRunning: { channel in await announce(channel) },
                logger: logger
            )
        }

        private func announce(_ channel: any Channel) async {
            let place = channel.localAddress.map { "\($0)" } ?? "?"
            logger.info(
                "serving",
                metadata: [
                    "address": "\(place)", "user": "\(prepared.user.name)", "cgroups": "\(prepared.cgroups.summary)",
                ]
            )
        }
    }
}
