internal import Sandbox

/// Whether the host has memory left for what nobody has asked for yet.
enum HostMemory {
    /// Below this part of all memory nothing is made in advance, and what was is given back.
    static let reserve = 0.1

    /// - Source: `MemAvailable` of proc_meminfo(5).
    static var isShort: Bool {
        let text = Host.text(at: "/proc/meminfo")
        guard let all = kibibytes("MemTotal:", text), let free = kibibytes("MemAvailable:", text) else { return false }
        return Double(free) < reserve * Double(all)
    }

    private static func kibibytes(_ name: String, _ text: String) -> Int? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
