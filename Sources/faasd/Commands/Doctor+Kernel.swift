import Sandbox

extension Doctor {
    /// What the running kernel offers, as its own files tell.
    ///
    /// - Parameters:
    ///   - release: of the kernel, such as `6.1.0-18-amd64`.
    ///   - read: the text of a file, empty when there is none.
    /// - Returns: one finding for each question.
    static func kernel(release: String, read: (String) -> String) -> [Finding] {
        [
            version(release), seccomp(read), userNamespaces(read), memoryFiles(read), coreDumps(read),
            pageSharing(read),
            threads(read), speculation(read), clock(read),
        ]
    }

    /// The files under `/sys` that each name one weakness of the processor.
    static let vulnerabilities = [
        "l1tf", "mds", "meltdown", "mmio_stale_data", "retbleed", "spec_store_bypass", "spectre_v1", "spectre_v2",
        "srbds", "tsa", "tsx_async_abort", "vmscape",
    ]

    private static func version(_ release: String) -> Finding {
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isRecent = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 14)
        return isRecent
            ? ok("kernel", release)
            : missing("kernel", "\(release): older than 5.14, which has cgroup.kill", "boot a newer kernel")
    }

    private static func seccomp(_ read: (String) -> String) -> Finding {
        let actions = Set(read("/proc/sys/kernel/seccomp/actions_avail").split { $0.isWhitespace }.map(String.init))
        let lacking = ["kill_process", "errno", "allow"].filter { !actions.contains($0) }
        guard lacking.isEmpty else {
            return missing("seccomp", "no \(lacking.joined(separator: ", "))", "a kernel with CONFIG_SECCOMP_FILTER")
        }
        return ok("seccomp", "filters")
    }

    private static func userNamespaces(_ read: (String) -> String) -> Finding {
        let most = Int(read("/proc/sys/user/max_user_namespaces").prefix { $0.isNumber }) ?? 0
        guard most > 0 else {
            return missing("user namespaces", "none may be made", "sysctl user.max_user_namespaces=10000")
        }
        return ok("user namespaces", "at most \(most)")
    }

    private static func memoryFiles(_ read: (String) -> String) -> Finding {
        guard read("/proc/sys/vm/memfd_noexec").isEmpty else {
            return ok("memory files", "cannot be executed in boxes")
        }
        return weaker("memory files", "can be executed in boxes: no vm.memfd_noexec", "Linux 6.3 or newer")
    }

    private static func coreDumps(_ read: (String) -> String) -> Finding {
        let pattern = read("/proc/sys/kernel/core_pattern").prefix { !$0.isNewline }
        let where_ = pattern.first == "|" ? "go to a program; boxes never start it" : "'\(pattern)'; boxes write none"
        return ok("core dumps", where_)
    }

    private static func pageSharing(_ read: (String) -> String) -> Finding {
        guard read("/sys/kernel/mm/ksm/run").first == "1" else { return ok("page sharing", "off") }
        return weaker(
            "page sharing",
            "on: a box can find out by timing what another one holds",
            "echo 0 > /sys/kernel/mm/ksm/run"
        )
    }

    private static func threads(_ read: (String) -> String) -> Finding {
        guard read("/sys/devices/system/cpu/smt/active").first == "1" else {
            return ok("processor threads", "one a core")
        }
        return weaker(
            "processor threads",
            "two share a core and its caches: boxes can watch each other's timing",
            "boot with nosmt where tenants are hostile to each other"
        )
    }

    private static func speculation(_ read: (String) -> String) -> Finding {
        let open = vulnerabilities.filter {
            read("/sys/devices/system/cpu/vulnerabilities/\($0)").hasPrefix("Vulnerable")
        }
        guard !open.isEmpty else { return ok("speculation", "every known weakness is mitigated or absent") }
        return weaker(
            "speculation",
            "vulnerable: \(open.joined(separator: ", "))",
            "newer microcode, or mitigations=auto"
        )
    }

    private static func clock(_ read: (String) -> String) -> Finding {
        let source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource").prefix { !$0.isNewline }
        guard ["hpet", "acpi_pm", "jiffies"].contains(String(source)) else { return ok("clock", String(source)) }
        return weaker("clock", "\(source): reading it is slow, and calls are measured with it", "clocksource=tsc")
    }
}
