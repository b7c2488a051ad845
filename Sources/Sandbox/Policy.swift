internal import CSandbox
internal import CSpawnerProtocol
internal import Glibc

/// Everything the spawner will ever be told that is not a number: built once, before privileges are given up.
public struct Policy: Sendable {
    /// Control groups of this host.
    public var cgroups: CgroupLayout
    /// The directory whose 64-hex-digit subdirectories are versions.
    public var store: String
    /// An existing empty directory on which the spawner builds roots, in a mount namespace of its own.
    public var scratch: String
    /// One profile for each kind, in order.
    public var profiles: [Profile]
    /// First host user id for boxes; box n uses 8n and 8n + 1 above it.
    public var uidBase: UInt32
    /// Where the daemon is an ordinary user's: whose ids boxes get instead, by way of a user namespace.
    public var subordinate: SubordinateIds?

    /// How many ids all boxes that may be alive at one time take.
    static let boxIds = UInt32(8 * SP_BOXES_MAX)

    /// Collects the parts.
    public init(
        cgroups: CgroupLayout,
        store: String,
        scratch: String,
        profiles: [Profile],
        uidBase: UInt32 = 1_000_000,
        subordinate: SubordinateIds? = nil
    ) {
        self.cgroups = cgroups
        self.store = store
        self.scratch = scratch
        self.profiles = profiles
        self.uidBase = subordinate?.firstUid ?? uidBase
        self.subordinate = subordinate
    }

    /// Writes the policy into a sealed memory file.
    ///
    /// - Throws: `SandboxError` when a path is too long, a table too full, or the filter does not compile.
    func seal(landlock: Landlock = .ofThisKernel) throws(SandboxError) -> Descriptor {
        for profile in profiles { try profile.checkListeners(landlock) }
        guard let policy = sbx_policy_new() else { throw SandboxError("policy", errno: ENOMEM, "no memory") }
        defer { free(policy) }
        policy.pointee.profile_count = UInt32(profiles.count)
        policy.pointee.uid_base = uidBase
        policy.pointee.flags = subordinate == nil ? 0 : UInt32(SP_ORDINARY_USER.rawValue)
        policy.pointee.landlock_abi = landlock.abi
        policy.pointee.landlock_fs = landlock.fileRights
        policy.pointee.landlock_net = landlock.networkRights
        policy.pointee.landlock_scoped = landlock.scopes
        try check(
            sbx_policy_set_paths(policy, store, scratch),
            "policy",
            "\(store), \(scratch): at most 255 bytes each"
        )
        try setCgroups(policy)
        var contents = PolicyContents(offset: policy.pointee.size)
        for (index, profile) in profiles.enumerated() {
            guard let target = sbx_policy_profile(policy, UInt32(index)) else {
                throw SandboxError("policy", "\(profiles.count) profiles, at most \(SP_PROFILES_MAX)")
            }
            try profile.write(to: target, &contents)
        }
        let own = try SeccompFilter(Syscalls.spawner(profiles.map(\.syscalls)))
        policy.pointee.filter_count = try own.compile(into: sbx_policy_filter(policy))
        policy.pointee.size = contents.end
        var descriptor: CInt = -1
        let code = sbx_policy_seal(policy, contents.bytes, contents.bytes.count, &descriptor)
        try check(code, "policy", "memory file")
        return Descriptor(owning: descriptor)
    }

    private func setCgroups(_ policy: UnsafeMutablePointer<sp_policy>) throws(SandboxError) {
        for case (let hierarchy, let group?) in cgroups.groups {
            let code = sbx_policy_set_cgroup(policy, hierarchy.rawValue, group.base, group.home)
            try check(code, "policy", "control group \(group.base)")
        }
        for setting in cgroups.settings {
            try check(setting.write(to: sbx_policy_setting(policy)), "policy", "setting \(setting.name)")
        }
        for (descriptor, file) in cgroups.files {
            try check(file.write(to: sbx_policy_file(policy, descriptor)), "policy", "file \(file.name)")
        }
        for (counter, file) in cgroups.counters {
            try check(file.write(to: sbx_policy_counter(policy, counter)), "policy", "counter \(file.name)")
        }
    }
}

extension CgroupLayout.File {
    /// ENAMETOOLONG when a text does not fit, E2BIG when there is no place.
    func write(to place: UnsafeMutablePointer<sp_file>?) -> CInt {
        guard let place else { return E2BIG }
        place.pointee.hierarchy = UInt16(hierarchy.rawValue)
        place.pointee.access = UInt16(isWritten ? O_WRONLY : O_RDONLY)
        place.pointee.value = UInt16(value.rawValue)
        place.pointee.flags = isOptional ? UInt16(SP_OPTIONAL.rawValue) : 0
        return sbx_file_set_texts(place, name, text)
    }
}

extension Profile {
    func write(
        to target: UnsafeMutablePointer<sp_profile>,
        _ contents: inout PolicyContents
    ) throws(SandboxError) {
        if usesHostNetwork { target.pointee.flags |= UInt32(SP_PROFILE_HOST_NETWORK.rawValue) }
        if kind == .zygote { target.pointee.flags |= UInt32(SP_PROFILE_ZYGOTE.rawValue) }
        if showsVersion { target.pointee.flags |= UInt32(SP_PROFILE_VERSION.rawValue) }
        target.pointee.listener_count = UInt32(listeners)
        for mount in Mount.withParents(mounts) { try mount.write(to: target, &contents) }
        for rule in rules {
            try check(sbx_profile_add_rule(target, rule.path, rule.access), "policy", "rule \(rule.path)")
        }
        for limit in rlimits {
            try check(sbx_profile_add_rlimit(target, limit.resource, limit.value), "policy", "rlimit \(limit.resource)")
        }
        for argument in arguments {
            try check(sbx_profile_add_argument(target, argument), "policy", "argument \(argument)")
        }
        for entry in environment {
            let code = sbx_profile_add_environment(target, entry.name, entry.value)
            try check(code, "policy", "environment \(entry.name)")
        }
        target.pointee.filter_count = try SeccompFilter(syscalls).compile(into: sbx_profile_filter(target))
    }
}
