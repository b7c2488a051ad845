import Testing

@testable import faasd

@Suite struct DoctorTests {
    private static let good = [
        "/proc/sys/kernel/seccomp/actions_avail": "kill_process kill_thread trap errno user_notif trace log allow\n",
        "/proc/sys/user/max_user_namespaces": "96365\n", "/proc/sys/vm/memfd_noexec": "0\n",
        "/proc/sys/kernel/core_pattern": "core\n", "/sys/kernel/mm/ksm/run": "0\n",
        "/sys/devices/system/cpu/smt/active": "0\n",
        "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
        "/sys/devices/system/cpu/vulnerabilities/spectre_v2": "Mitigation: Retpolines\n",
    ]

    private func verdicts(release: String = "6.1.0-18-amd64", _ changes: [String: String] = [:]) -> [String: String] {
        let files = Self.good.merging(changes) { $1 }
        let findings = Doctor.kernel(release: release) { files[$0] ?? "" }
        for finding in findings { #expect((finding.verdict == "ok") == (finding.remedy == nil), "\(finding)") }
        return Dictionary(uniqueKeysWithValues: findings.filter { $0.verdict != "ok" }.map { ($0.subject, $0.verdict) })
    }

    @Test(
        arguments: [
            ("thread force mitigated", "conditional force disabled", "ok"), ("not vulnerable", "always enabled", "ok"),
            ("vulnerable", "always disabled", "weaker"), ("thread vulnerable", "not affected", "weaker"),
        ]
    )
    func `speculation in a box is read from its process`(store: String, branch: String, verdict: String) {
        let status = "Name:\tx\nSpeculation_Store_Bypass:\t\(store)\nSpeculationIndirectBranch:\t\(branch)\n"
        #expect(Doctor.speculation(status: status).verdict == verdict)
    }

    @Test func `a good kernel has no finding but good ones`() { #expect(verdicts() == [:]) }

    @Test(
        arguments: [
            ("5.13.19", "missing"), ("5.14.0", nil), ("5.15-rc1", nil), ("6.0.0", nil), ("4.19.0-26-amd64", "missing"),
            ("", "missing"),
        ] as [(String, String?)]
    )
    func `a kernel must be 5.14 or newer`(release: String, verdict: String?) {
        #expect(verdicts(release: release)["kernel"] == verdict)
    }

    @Test(
        arguments: [
            ("/proc/sys/kernel/seccomp/actions_avail", "", "seccomp", "missing"),
            ("/proc/sys/kernel/seccomp/actions_avail", "kill_thread errno allow\n", "seccomp", "missing"),
            ("/proc/sys/user/max_user_namespaces", "0\n", "user namespaces", "missing"),
            ("/proc/sys/user/max_user_namespaces", "", "user namespaces", "missing"),
            ("/proc/sys/vm/memfd_noexec", "", "memory files", "weaker"),
            ("/sys/kernel/mm/ksm/run", "1\n", "page sharing", "weaker"),
            ("/sys/devices/system/cpu/smt/active", "1\n", "processor threads", "weaker"),
            ("/sys/devices/system/cpu/vulnerabilities/retbleed", "Vulnerable\n", "speculation", "weaker"),
            ("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n", "clock", "weaker"),
        ]
    )
    func `what is not there is named with a remedy`(path: String, text: String, subject: String, verdict: String) {
        #expect(verdicts([path: text]) == [subject: verdict])
    }

    @Test(
        arguments: [
            ("unprivileged_userns_clone", "0\n", "missing"), ("unprivileged_userns_clone", "1\n", "ok"),
            ("unprivileged_userns_clone", "", "ok"), ("apparmor_restrict_unprivileged_userns", "1\n", "missing"),
            ("apparmor_restrict_unprivileged_userns", "0\n", "ok"),
        ]
    )
    func `what keeps user namespaces from ordinary users is named`(name: String, value: String, verdict: String) {
        let finding = Doctor.namespaceSwitches { $0 == "/proc/sys/kernel/" + name ? value : "" }
        #expect(finding.verdict == verdict)
        #expect(verdict == "ok" || finding.remedy?.contains(name) == true)
    }

    @Test(arguments: [("0", "ok"), ("1", "missing")])
    func `without new privileges no ids can be mapped`(value: String, verdict: String) {
        let status = "Name:\tfaasd\nNoNewPrivs:\t\(value)\nSeccomp:\t0\n"
        #expect(Doctor.newPrivileges { $0 == "/proc/self/status" ? status : "" }.verdict == verdict)
    }
}
