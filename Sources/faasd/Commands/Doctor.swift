import Sandbox

/// The questions `faasd doctor` asks of a host.
enum Doctor {
    /// One answer.
    struct Finding: Encodable {
        var subject: String
        /// `ok`, `weaker` (works, with less safety) or `missing` (does not work).
        var verdict: String
        var detail: String
        var remedy: String?
    }

    static func examine(runtimes: String?) -> [Finding] {
        let privileges = Host.isRoot ? [ok("privileges", "root")] : ordinary(read: Host.text(at:))
        let parts = privileges + [controlGroups(), landlock()]
        let kernel = kernel(release: Host.kernelRelease, read: Host.text(at:))
        let installed = [spawner(), runtime(runtimes)] + interpreter()
        let all = parts + kernel + installed
        return all.contains { $0.verdict == "missing" } && !Host.isRoot ? all : all + trial(runtimes: runtimes)
    }

    static func ok(_ subject: String, _ detail: String) -> Finding {
        Finding(subject: subject, verdict: "ok", detail: detail)
    }

    static func weaker(_ subject: String, _ detail: String, _ remedy: String) -> Finding {
        Finding(subject: subject, verdict: "weaker", detail: detail, remedy: remedy)
    }

    static func missing(_ subject: String, _ detail: String, _ remedy: String) -> Finding {
        Finding(subject: subject, verdict: "missing", detail: detail, remedy: remedy)
    }

    private static func controlGroups() -> Finding {
        let layout = Host.cgroups(name: "faasd-doctor")
        guard layout.missing.isEmpty else {
            return missing(
                "control groups",
                "\(layout.summary); no \(layout.missing.joined(separator: ", "))",
                Host.isRoot
                    ? "mount the missing controllers, or boot with systemd.unified_cgroup_hierarchy=1"
                    : "have root give this user control groups of its own: docs/configuration.md, 'From an ordinary user'"
            )
        }
        return ok("control groups", layout.summary)
    }

    private static func landlock() -> Finding {
        let abi = Host.landlockABI
        guard abi > 0 else {
            return weaker(
                "landlock",
                "not in this kernel: one layer less around files",
                "Linux 5.13 or newer with lsm=landlock"
            )
        }
        let scope = abi >= 6 ? "files, TCP, signals and abstract sockets" : abi >= 4 ? "files and TCP" : "files"
        // Its rules on TCP miss Fast Open and UDP, and whiteouts pass as no device: other layers hold those.
        return ok("landlock", "ABI \(abi): \(scope); TCP Fast Open, UDP and whiteouts are left to the filter")
    }

    private static func spawner() -> Finding {
        let path = Installation.spawnerPath
        return Installation.isExecutable(path)
            ? ok("faasd-spawner", path) : missing("faasd-spawner", path, "install it beside faasd")
    }

    private static func runtime(_ runtimes: String?) -> Finding {
        do {
            return ok("runtimes", try Installation.runtimes(runtimes))
        } catch { return missing("runtimes", "\(error)", "name it with --runtimes") }
    }

    private static func interpreter() -> [Finding] {
        let path = "/usr/bin/python3"
        guard Installation.isExecutable(path) else {
            return [missing("python", "\(path) is not there", "apt-get install python3 python3-pip")]
        }
        return [ok("python", path)]
    }
}
