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
        let line = text.utf8.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: name.utf8) }
        let word = line?.split(separator: UInt8(ascii: " ")).dropFirst().first
        return word.flatMap { Int(Substring($0)) }
    }
}
