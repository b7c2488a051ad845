import Foundation
import Synchronization
import Testing

@testable import Sandbox

/// Every suite that makes boxes, one after another: descriptors and groups are counted.
@Suite(.serialized) enum RealBoxes {}

/// A real spawner with real boxes, in a state directory and control groups of its own.
///
/// One for all tests: box setups are serial anyway. Needs root, like the daemon's start.
final class LiveSpawner: Sendable {
    static let shared = Result { try LiveSpawner() }
    /// The same without the version 2 hierarchy: killing and freezing by the freezer, CPU time by cpuacct.
    static let legacy = Result { try LiveSpawner(usesUnified: false) }

    private static let started = Mutex<[LiveSpawner]>([])

    let spawner: Spawner
    let state: String
    let group: String
    let layout: CgroupLayout

    static let limits = BoxLimits(memoryBytes: 128 << 20, cpuMillis: 1_000, pids: 16, tmpBytes: 32 << 20)
    static let version = [UInt8](repeating: 0xab, count: 32)

    /// The folder with the programs that were built together with these tests.
    static var programs: String {
        if let named = ProcessInfo.processInfo.environment["FAASD_BIN"] { return named }
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        return bundle.components(separatedBy: "/").prefix { !$0.hasSuffix(".xctest") }.joined(separator: "/")
    }

    /// Starts one; `change` may take layers away from the worker's profile, `program` may be another spawner.
    init(
        usesUnified: Bool = true,
        uidBase: UInt32? = nil,
        files: [String: String] = [:],
        program: String? = nil,
        isChecking: Bool = true,
        change: (inout Profile) -> Void = { _ in }
    ) throws {
        let id = String(UInt32.random(in: .min ... .max), radix: 16)
        state = "/var/lib/faasd-unit-\(id)"
        group = "faasd-unit-\(id)"
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let code = state + "/store/" + String(repeating: "ab", count: 32) + "/code"
        try FileManager.default.createDirectory(atPath: code, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: state + "/roots", withIntermediateDirectories: true)
        try "def apply(input):\n    return input\n".write(toFile: code + "/echo.py", atomically: false, encoding: .utf8)
        for (name, text) in files.merging(["attack.py": LayerAttack.program], uniquingKeysWith: { own, _ in own }) {
            try text.write(toFile: code + "/" + name, atomically: false, encoding: .utf8)
        }
        layout = usesUnified ? Host.cgroups(name: group) : Self.legacyLayout(name: group)
        let policy = Policy(
            cgroups: layout,
            store: state + "/store",
            scratch: state + "/roots",
            profiles: Profile.Kind.allCases.map { kind in
                let library = Self.programs + "/libfaasd-zygote.so"
                var profile = Profile(kind, runtime: root + "/Runtimes/python", zygoteLibrary: library)
                if kind == .worker { change(&profile) }
                return profile
            },
            uidBase: uidBase ?? (usesUnified ? 3_000_000 : 3_100_000)
        )
        let lock = try FileLock.take(state + "/lock", patienceMillis: 0)
        spawner = try Spawner.start(
            executable: program ?? Self.programs + "/faasd-spawner",
            policy: policy,
            lock: lock,
            isChecking: isChecking
        )
        let isFirst = Self.started.withLock { started in
            started.append(self)
            return started.count == 1
        }
        guard isFirst else { return }
        atexit {
            for live in LiveSpawner.started.withLock({ $0 }) {
                live.spawner.shutDown()
                _ = live.spawner.waitForExit()
                try? FileTree.remove(live.state)
            }
        }
    }

    /// This host as if nothing of version 2 were mounted.
    static func legacyLayout(name: String) -> CgroupLayout {
        let mounts = ((try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? "")
            .split(separator: "\n").filter { !$0.contains(" - cgroup2 ") }.joined(separator: "\n")
        let membership = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        return CgroupLayout(
            mountinfo: mounts,
            membership: membership,
            controllers: { _ in "" },
            isDelegated: { _ in false },
            name: name
        )
    }

    /// How many groups of boxes there are in every hierarchy together.
    var boxGroups: Int {
        let bases = ([layout.unified] + layout.legacy.values.map(Optional.some)).compactMap { $0?.base }
        return bases.map { base in
            ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).filter { $0.hasPrefix("box-") }.count
        }.reduce(0, +)
    }
}

extension Box {
    /// What the program printed until its end, or until the time is over.
    func everythingPrinted(within seconds: Int) -> String {
        var text: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let end = Date().addingTimeInterval(TimeInterval(seconds))
        while Date() < end {
            var handles = [
                pollfd(fd: standardOutput, events: Int16(POLLIN), revents: 0),
                pollfd(fd: processHandle, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&handles, 2, 1_000) > 0 else { continue }
            let length = read(standardOutput, &bytes, bytes.count)
            if length > 0 { text += bytes.prefix(length) }
            if length <= 0, handles[1].revents != 0 { break }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
