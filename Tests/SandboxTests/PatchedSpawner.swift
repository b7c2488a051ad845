import Foundation

@testable import Sandbox

/// faasd-spawner, compiled from a copy of its sources in which a layer is taken away.
///
/// The real program has no switch for that, and must not have one.
enum PatchedSpawner {
    /// A layer, by the text in the spawner's sources that makes it.
    enum Layer: String, CaseIterable {
        case pidNamespace, capabilityDrop, uniqueUsers, noExecution, landlock, filter

        /// What stands in the source once, and what stands there without the layer.
        var edits: [(file: String, from: String, to: String)] {
            switch self {
            case .pidNamespace:
                [
                    ("sys.c", "CLONE_NEWPID | ", ""),
                    // Without a pid namespace of its own a box may mount no /proc.
                    ("child.c", "        { SP_STEP_MOUNT, forbid_memfd_exec, EXECUTED | HOUSE },\n", ""),
                    (
                        "child.c", #"mount("proc", "r/proc", "proc", flags, options) != 0"#,
                        "false"
                    ),
                ]
            case .filter: [("child.c", "        { SP_STEP_SECCOMP, install_filter, BOXED },\n", "")]
            case .landlock: [("child.c", "        { SP_STEP_LANDLOCK, restrict_files, BOXED },\n", "")]
            case .capabilityDrop: [("child.c", "        { SP_STEP_CAPABILITIES, drop_privileges, BOXED },\n", "")]
            case .uniqueUsers:
                [("box.c", "UIDS_PER_BOX * (uint32_t)(box - spawner->boxes)", "0 * (uint32_t)(box - spawner->boxes)")]
            case .noExecution:
                [("box.c", "MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | attributes", "MOUNT_ATTR_NOSUID | attributes")]
            }
        }
    }

    struct Failure: Error { var message: String }

    /// Compiles one into `folder`.
    static func build(without layers: Set<Layer>, in folder: URL) throws -> String {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources")
        let copy = folder.appendingPathComponent("spawner-source")
        try FileManager.default.copyItem(at: sources.appendingPathComponent("faasd-spawner"), to: copy)
        for name in ["child.c", "sys.c"] {
            let original = sources.appendingPathComponent("CBox").appendingPathComponent(name)
            try FileManager.default.copyItem(at: original, to: copy.appendingPathComponent(name))
        }
        for edit in layers.flatMap(\.edits) {
            let file = copy.appendingPathComponent(edit.file)
            let parts = try String(contentsOf: file, encoding: .utf8).components(separatedBy: edit.from)
            guard parts.count == 2 else {
                throw Failure(message: "\(edit.file) has \(edit.from) \(parts.count - 1) times, expected once")
            }
            try parts.joined(separator: edit.to).write(to: file, atomically: true, encoding: .utf8)
        }
        let program = folder.appendingPathComponent("faasd-spawner").path
        let files = try FileManager.default.contentsOfDirectory(atPath: copy.path).filter { $0.hasSuffix(".c") }
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/cc")
        compiler.arguments =
            [
                "-D_GNU_SOURCE", "-w", "-I", sources.appendingPathComponent("CSpawnerProtocol/include").path,
                "-I", sources.appendingPathComponent("CBox/include").path, "-o", program,
            ]
            + files.map { copy.appendingPathComponent($0).path }
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else {
            throw Failure(message: "cc ended with \(compiler.terminationStatus)")
        }
        return program
    }
}
