import CSandbox
import CSpawnerProtocol
import Foundation
import Testing

@testable import Sandbox

@Suite struct ProfileTests {
    private func allowed(_ rules: [SyscallRule]) -> Set<String> {
        Set(rules.filter { $0.action == .allow }.flatMap(\.names))
    }

    @Test func `Python reaches at most 120 system calls, the general set 180`() {
        let count = allowed(Syscalls.worker(.general)).count
        #expect(count <= 178, "\(count) calls, beside two that the kernel shows to no filter")
        let python = allowed(Syscalls.worker(.python)).count
        #expect(python <= 118, "\(python) calls, beside two that the kernel shows to no filter")
    }

    @Test func `every rule has a reason`() {
        for rule in Syscalls.worker(.jit) + Syscalls.worker(.python) + Syscalls.install {
            #expect(rule.reason.count > 5, "\(rule.names)")
        }
    }

    @Test(arguments: [
        "ptrace", "mount", "unshare", "setns", "keyctl", "bpf", "perf_event_open", "userfaultfd", "process_vm_writev",
        "kexec_load", "init_module", "open_by_handle_at",
    ])
    func `what only an attack calls kills`(name: String) {
        for calls in SyscallProfile.allCases {
            let rules = Syscalls.worker(calls).filter { $0.names.contains(name) }
            #expect(rules.count == 1 && rules.first?.action == .kill)
        }
    }

    @Test(arguments: ["io_uring_setup", "clone3", "add_key_not_there"])
    func `what is not named is absent`(name: String) {
        #expect(!Syscalls.worker(.jit).contains { $0.names.contains(name) })
    }

    @Test func `no call is both allowed without condition and refused`() {
        for rules in SyscallProfile.allCases.map(Syscalls.worker) + [Syscalls.unpack, Syscalls.install] {
            let plain = Set(rules.filter { $0.action == .allow && $0.alternatives.isEmpty }.flatMap(\.names))
            let other = Set(rules.filter { $0.action != .allow || !$0.alternatives.isEmpty }.flatMap(\.names))
            #expect(plain.isDisjoint(with: other), "\(plain.intersection(other))")
        }
    }

    @Test(arguments: Profile.Kind.allCases)
    func `every profile compiles and fits its fields`(kind: Profile.Kind) throws {
        let policy = try #require(sbx_policy_new())
        defer { free(policy) }
        let target = try #require(sbx_policy_profile(policy, 0))
        var contents = PolicyContents(offset: policy.pointee.size)
        let profile = Profile(kind, runtime: "/usr", pip: [("PIP_INDEX_URL", "https://example.org/simple")])
        try profile.write(to: target, &contents)
        #expect(target.pointee.filter_count > 50)
        #expect(target.pointee.arg_count >= 5)
        #expect(target.pointee.rlimit_count == (kind == .zygote ? 0 : 10))
    }

    @Test func `directories come before what stands in them, each once`() {
        let mounts: [Profile.Mount] = [.symlink("x", at: "a/b/c"), .point("a/d"), .text("", at: "e"), .point("a/b/f")]
        #expect(
            Profile.Mount.withParents(mounts) == [
                .point("a"), .point("a/b"), .symlink("x", at: "a/b/c"), .point("a/d"), .text("", at: "e"),
                .point("a/b/f"),
            ]
        )
    }

    @Test func `contents lie one behind the other, behind the policy`() {
        var contents = PolicyContents(offset: 100)
        #expect(contents.end == 100)
        #expect(contents.add([1, 2, 3]) == 100)
        #expect(contents.add([]) == 103)
        #expect(contents.add([4]) == 103)
        #expect(contents.end == 104)
        #expect(contents.bytes == [1, 2, 3, 4])
    }

    @Test(arguments: [(254, true), (255, true), (256, false)])
    func `a path is accepted up to the size of its field`(length: Int, fits: Bool) {
        let policy = sbx_policy_new()
        defer { free(policy) }
        let path = String(repeating: "a", count: length)
        #expect((sbx_policy_set_paths(policy, path, "/x") == 0) == fits)
    }

    @Test(arguments: [(0, UInt64(0)), (1, 0x1fff), (2, 0x3fff), (3, 0x7fff), (4, 0x7fff), (5, 0xffff), (7, 0xffff)])
    func `Landlock handles what the kernel's ABI knows`(abi: Int, rights: UInt64) {
        #expect(Landlock(abi: UInt32(abi)).fileRights == rights)
        #expect(Landlock(abi: UInt32(abi)).networkRights == (abi >= 4 ? 3 : 0))
        #expect(Landlock(abi: UInt32(abi)).scopes == (abi >= 6 ? 3 : 0))
    }
}
