import Foundation
import Sandbox

/// A spawner of its own, whose workers are a program of the bench's choice; everything else is as the daemon has it.
final class Rig {
    static let version = [UInt8](repeating: 0xab, count: 32)
    let spawner: Spawner
    private let state: String

    init(_ programs: String, _ arguments: [String]) throws {
        let id = String(UInt32.random(in: .min ... .max), radix: 16)
        state = "/var/lib/faasd-bench-\(id)"
        let files = FileManager.default
        try files.createDirectory(
            atPath: state + "/store/" + String(repeating: "ab", count: 32) + "/code",
            withIntermediateDirectories: true
        )
        try files.createDirectory(atPath: state + "/roots", withIntermediateDirectories: true)
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let runtime = source.deletingLastPathComponent().path + "/Runtimes/python"
        let policy = Policy(
            cgroups: Host.cgroups(name: "faasd-bench-\(id)"),
            store: state + "/store",
            scratch: state + "/roots",
            profiles: Profile.Kind.allCases.map { kind in
                var profile = Profile(kind, runtime: runtime, zygoteLibrary: programs + "/libfaasd-zygote.so")
                if kind == .worker { profile.arguments = arguments }
                return profile
            },
            uidBase: 3_400_000
        )
        let lock = try FileLock.take(state + "/lock", patienceMillis: 0)
        spawner = try Spawner.start(executable: programs + "/faasd-spawner", policy: policy, lock: lock)
    }

    func end() {
        spawner.shutDown()
        _ = spawner.waitForExit()
        try? FileManager.default.removeItem(atPath: state)
    }
}
