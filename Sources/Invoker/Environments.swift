internal import Logging
internal import NIOCore
internal import Synchronization

/// Which packages of a version are loaded in advance: those the operator names, in an environment of their own.
///
/// A version's own folder will not do: any of its packages may have put a file among another's. So what is to be
/// preloaded is installed once more, alone, by exact version and digest, for all versions with the same.
final class Environments: Sendable {
    private let store: VersionStore
    private let preload: Set<String>
    /// By the store key of a version: its environment, empty for none.
    private let known = Mutex<[[UInt8]: String]>([:])
    private let underWay = Mutex<Set<String>>([])
    /// Versions remembered at one time.
    private static let knownMax = 100_000

    init(store: VersionStore, preload: Set<String>) {
        self.store = store
        self.preload = preload
    }

    /// The environment of a version, if it has been made; empty for none.
    ///
    /// Reads the version's lock the first time.
    func environment(of key: [UInt8]) -> String {
        if preload.isEmpty { return "" }
        if let known = known.withLock({ $0[key] }) { return known }
        let found = lock(of: StoreKey.text(key))?.environment ?? ""
        let isThere = found.isEmpty || store.has(found)
        guard isThere else { return "" }
        known.withLock { known in
            if known.count >= Self.knownMax { known = [:] }
            known[key] = found
        }
        return found
    }

    /// The part of a version's lock that is loaded in advance; nil when there is nothing of it.
    private func lock(of key: String) -> VersionLock? {
        guard let lock = try? store.lock(key) else { return nil }
        return lock.part(preload)
    }

    /// Makes the environment of a version that was just built, unless there is one.
    ///
    /// - Parameters:
    ///   - key: the version's store key.
    ///   - install: installs requirements into a folder.
    /// - Returns: the environment; nil when the version has none, or another build is making it.
    /// - Throws: what `install` throws, or `StoreError`; nothing is left behind then.
    func make(
        for key: String,
        _ install: (ByteBuffer, inout VersionWriter) throws -> Void
    ) throws -> String? {
        guard !preload.isEmpty, let lock = lock(of: key) else { return nil }
        let environment = lock.environment
        if store.has(environment) { return environment }
        guard underWay.withLock({ $0.insert(environment).inserted }) else { return nil }
        defer { underWay.withLock { _ = $0.remove(environment) } }
        var writer = try store.beginEnvironment(environment)
        try install(ByteBuffer(string: lock.requirements), &writer)
        try store.finishEnvironment(environment)
        return environment
    }
}

extension VersionLock {
    /// The lock of these distributions only, whose names are normalised; nil when it has none of them.
    func part(_ names: Set<String>) -> VersionLock? {
        let lines = requirements.split(separator: "\n").filter { line in
            names.contains(Self.normalised(line.prefix { $0 != "=" }))
        }
        guard !lines.isEmpty else { return nil }
        return VersionLock(interpreter: interpreter, requirements: lines.map { $0 + "\n" }.joined())
    }

    /// A distribution's name in lower case, with `-` for each run of `-`, `_` and `.`: PEP 503.
    static func normalised(_ name: some StringProtocol) -> String {
        name.lowercased().split { "-_.".contains($0) }.joined(separator: "-")
    }
}
