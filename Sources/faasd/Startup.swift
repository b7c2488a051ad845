import Crypto
import Foundation
import Invoker
import Sandbox

/// What is done while the process still has what it was started with, root or a user's rights, and one thread.
enum Startup {
    /// What the rest of the daemon's life needs of it.
    struct Prepared: Sendable {
        var stateDirectory: String
        var address: ListenAddress
        var configuration: Configuration
        var user: HostUser
        var spawner: Spawner
        var cgroups: CgroupLayout
        /// The limits this host cannot set; not empty only for a single tenant.
        var limitsMissing: [String]

        var storePath: String { stateDirectory + "/store" }
        var socketPath: String { stateDirectory + "/faasd.sock" }
        var files: LedgerFiles { LedgerFiles(stateDirectory: stateDirectory) }
    }

    /// Makes the state directory, takes its lock, starts the spawner, and gives up every right that serving does not need.
    static func prepare(
        stateDirectory: String,
        user: String?,
        runtimes: String?,
        address: ListenAddress,
        configuration: Configuration,
        isSingleTenant: Bool
    ) throws -> Prepared {
        try checkDescriptors(configuration)
        let user = try servingUser(user)
        let subordinate = Host.isRoot ? nil : try SubordinateIds(of: user, launcher: Installation.launcherPath)
        let runtime = try Installation.runtimes(runtimes) + "/python"
        let state = try makeStateDirectory(Installation.absolute(stateDirectory), user)
        let lock = try FileLock.take(state + "/lock", patienceMillis: 15_000)
        let cgroups = Host.cgroups(name: groupName(state))
        try checkLimits(cgroups, isSingleTenant: isSingleTenant)
        let policy = Policy(
            cgroups: cgroups,
            store: state + "/store",
            scratch: state + "/roots",
            profiles: Profile.Kind.allCases.map {
                Profile(
                    $0,
                    runtime: runtime,
                    pip: pipSettings(),
                    calls: configuration.systemCalls,
                    zygoteLibrary: Installation.zygoteLibraryPath,
                    sharesDevices: subordinate != nil
                )
            },
            subordinate: subordinate
        )
        let spawner = try Spawner.start(executable: Installation.spawnerPath, policy: policy, lock: lock)
        // The spawner holds a copy of the lock until its last box is gone; ours lasts as long as this process.
        _ = lock.release()
        signal(SIGPIPE, SIG_IGN)
        if subordinate == nil {
            try Privileges.drop(to: user)
        } else {
            try Privileges.confine(to: [state] + temporaryFolders)
        }
        return Prepared(
            stateDirectory: state,
            address: address,
            configuration: configuration,
            user: user,
            spawner: spawner,
            cgroups: cgroups,
            limitsMissing: cgroups.missing
        )
    }

    /// Where SQLite puts what does not fit into memory.
    private static var temporaryFolders: [String] {
        ["/var/tmp", "/tmp"].filter { FileManager.default.fileExists(atPath: $0) }
    }

    /// Whom root becomes, or the ordinary user who has started this.
    private static func servingUser(_ named: String?) throws -> HostUser {
        guard !Host.isRoot else { return try HostUser(named: named ?? "faasd") }
        let own = try HostUser.current()
        guard named == nil || named == own.name else {
            throw StartupError("--user \(named ?? ""): only root can become another user; this is \(own.name)")
        }
        return own
    }

    /// Several tenants need limits that limit; one who knows that there are none may do without, but not without
    /// the means to stop a box and to measure it.
    private static func checkLimits(_ cgroups: CgroupLayout, isSingleTenant: Bool) throws {
        let missing = cgroups.missing
        let isBearable = isSingleTenant && Set(missing).isSubset(of: ["memory", "pids", "cpu"])
        guard missing.isEmpty || isBearable else {
            let whose = Host.isRoot ? "" : " that was given to this user"
            throw StartupError(
                "control groups: no \(missing.joined(separator: ", "))\(whose) (\(cgroups.summary)); without them a limit would not limit, so that several tenants cannot be served. See: faasd doctor. For one tenant who is trusted: --insecure-single-tenant"
            )
        }
    }

    /// A daemon that runs out of descriptors serves nobody: better not to start than to find out under load.
    private static func checkDescriptors(_ configuration: Configuration) throws {
        let (workers, connections) = (configuration.limits.workersMax, configuration.connectionsMax)
        let needed = UInt64(workers * descriptorsPerWorker + connections + 64)
        let limit = Host.raiseDescriptorLimit()
        guard limit >= needed else {
            throw StartupError(
                "open files: the hard limit is \(limit), \(needed) are needed for \(workers) workers and \(connections) connections; raise it (ulimit -Hn, LimitNOFILE=) or lower limits.workers or connections"
            )
        }
    }

    private static let descriptorsPerWorker = 16

    private static func makeStateDirectory(_ path: String, _ user: HostUser) throws -> String {
        umask(0o022)
        let paths: [(path: String, mode: UInt32)] = [(path, 0o700), (path + "/store", 0o755), (path + "/roots", 0o755)]
        for entry in paths {
            try FileManager.default.createDirectory(atPath: entry.path, withIntermediateDirectories: true)
            try Privileges.giveDirectory(entry.path, to: user, mode: entry.mode)
        }
        return try reachable(URL(fileURLWithPath: path).resolvingSymlinksInPath().path, user)
    }

    /// The daemon will have to walk there as another user.
    private static func reachable(_ path: String, _ user: HostUser) throws -> String {
        var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        while folder.path != "/" {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path)
            let mode = (attributes[.posixPermissions] as? NSNumber)?.uint32Value ?? 0
            let owner = (attributes[.ownerAccountID] as? NSNumber)?.uint32Value ?? 0
            if mode & 0o001 == 0 && owner != user.uid {
                throw StartupError(
                    "--state-dir \(path): user \(user.name) cannot enter \(folder.path) (mode \(String(mode, radix: 8))); choose a folder it can reach, such as /var/lib/faasd"
                )
            }
            folder.deleteLastPathComponent()
        }
        return path
    }

    /// One state directory, one name: leftovers of a former run are found again, those of others left alone.
    private static func groupName(_ state: String) -> String {
        let digest = SHA256.hash(data: Data(state.utf8))
        return "faasd-" + digest.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The operator's package index, as pip reads it from the environment.
    private static func pipSettings() -> [(name: String, value: String)] {
        let wanted = [
            "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_DEFAULT_TIMEOUT",
            "PIP_RETRIES", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",
            "HTTPS_PROXY", "NO_PROXY",
        ]
        let environment = ProcessInfo.processInfo.environment
        return wanted.compactMap { name in environment[name].map { (name, $0) } }
    }
}
