internal import CSpawnerProtocol
internal import Glibc

/// A failure of the sandbox machinery itself, never of the code inside a box.
public struct SandboxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was being done, in the spawner's words, such as `"pivot_root"` or `"cgroup limit"`.
    public let step: String
    /// What the kernel said; 0 when the failure is not a system call's.
    public let errno: Int32
    /// The value involved: a path, a number, a limit, and the remedy where there is one.
    public let detail: String

    /// Names a failed step.
    public init(_ step: String, errno: Int32 = 0, _ detail: String) {
        self.step = step
        self.errno = errno
        self.detail = detail
    }

    /// One line for people: step, detail, the kernel's word.
    public var description: String {
        guard errno != 0 else { return "sandbox \(step) failed: \(detail)" }
        return "sandbox \(step) failed: \(detail): \(String(cString: strerror(errno))) (errno \(errno))"
    }

    /// The spawner's steps in words, in the order of `sp_step`.
    private static let steps = [
        "none", "policy", "request", "cgroup create", "cgroup limit", "cgroup enter", "pipes", "tmpfs", "version",
        "clone", "id map", "sync", "credentials", "mount", "pivot_root", "identity", "rlimit", "descriptors",
        "capabilities", "death signal", "no_new_privs", "landlock", "seccomp", "exec", "wait", "root",
        "listeners", "zygote", "assign", "branch", "adopt",
    ]

    static func name(ofStep step: UInt16) -> String {
        precondition(steps.count == Int(SP_STEP_COUNT.rawValue), "one name for each step")
        return Int(step) < steps.count ? steps[Int(step)] : "unknown"
    }

    static func spawner(step: UInt16, errno: Int32, _ detail: String) -> SandboxError {
        SandboxError(name(ofStep: step), errno: errno, detail)
    }
}

/// Throws when a C function of ours answered with an errno.
func check(_ code: Int32, _ step: String, _ detail: @autoclosure () -> String) throws(SandboxError) {
    guard code == 0 else { throw SandboxError(step, errno: code, detail()) }
}
