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
        [privileges(), controlGroups(), landlock(), spawner(), runtime(runtimes)] + interpreter()
    }

    private static func privileges() -> Finding {
        guard Host.isRoot else {
            return Finding(
                subject: "privileges",
                verdict: "missing",
                detail: "not root",
                remedy: "start faasd as root; it keeps root in faasd-spawner only and serves as --user"
            )
        }
        return Finding(subject: "privileges", verdict: "ok", detail: "root")
    }

    private static func controlGroups() -> Finding {
        let layout = Host.cgroups(name: "faasd-doctor")
        guard layout.missing.isEmpty else {
            return Finding(
                subject: "control groups",
                verdict: "missing",
                detail: "\(layout.summary); no \(layout.missing.joined(separator: ", "))",
                remedy: "mount the missing controllers, or boot with systemd.unified_cgroup_hierarchy=1"
            )
        }
        return Finding(subject: "control groups", verdict: "ok", detail: layout.summary)
    }

    private static func landlock() -> Finding {
        let abi = Host.landlockABI
        guard abi > 0 else {
            return Finding(
                subject: "landlock",
                verdict: "weaker",
                detail: "not in this kernel: one layer less around files",
                remedy: "Linux 5.13 or newer with lsm=landlock"
            )
        }
        return Finding(subject: "landlock", verdict: "ok", detail: "ABI \(abi)")
    }

    private static func spawner() -> Finding {
        let path = Installation.spawnerPath
        guard Installation.isExecutable(path) else {
            return Finding(
                subject: "faasd-spawner",
                verdict: "missing",
                detail: path,
                remedy: "install it beside faasd"
            )
        }
        return Finding(subject: "faasd-spawner", verdict: "ok", detail: path)
    }

    private static func runtime(_ runtimes: String?) -> Finding {
        do {
            return Finding(subject: "runtimes", verdict: "ok", detail: try Installation.runtimes(runtimes))
        } catch {
            return Finding(
                subject: "runtimes",
                verdict: "missing",
                detail: "\(error)",
                remedy: "name it with --runtimes"
            )
        }
    }

    private static func interpreter() -> [Finding] {
        guard Installation.isExecutable("/usr/bin/python3") else {
            return [
                Finding(
                    subject: "python",
                    verdict: "missing",
                    detail: "/usr/bin/python3 is not there",
                    remedy: "apt-get install python3 python3-pip"
                )
            ]
        }
        return [Finding(subject: "python", verdict: "ok", detail: "/usr/bin/python3")]
    }
}
