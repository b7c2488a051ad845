/// What the kernel says of a new box's first process, compared with what the setup was to make of it.
///
/// The child reads its own state back as well; this is the second pair of eyes, outside the box.
/// - Source: `/proc/PID/status` in proc(5).
struct Proof: Sendable, Equatable {
    /// What differs, in words; empty when all layers are there.
    let faults: [String]

    private static let expected = [
        ("CapInh", "0000000000000000"), ("CapPrm", "0000000000000000"), ("CapEff", "0000000000000000"),
        ("CapBnd", "0000000000000000"), ("CapAmb", "0000000000000000"), ("NoNewPrivs", "1"), ("Seccomp", "2"),
    ]

    /// Judges the text of `/proc/PID/status`.
    ///
    /// - Parameters:
    ///   - status: the text; empty when this host hides other users' processes, and then nothing is judged.
    ///   - uidBase: the first user id of boxes; the process must have one from there on, the same four times.
    ///   - gidBase: likewise of groups.
    ///   - filters: how many filters of system calls the process must be under; nil where the kernel does not count them
    ///     (before Linux 5.11). The spawner's own are inherited, so that "some" proves nothing; nor does `NoNewPrivs`.
    init(status: String, uidBase: UInt32, gidBase: UInt32, filters: Int?) {
        guard !status.isEmpty else {
            faults = []
            return
        }
        var faults: [String] = []
        for (name, value) in Self.expected {
            let found = Self.words(name, in: status)
            if found != [value] { faults.append("\(name) is \(found.first ?? "missing"), expected \(value)") }
        }
        let counted = Self.filters(status)
        if let filters, counted != filters {
            faults.append("Seccomp_filters is \(counted.map(String.init) ?? "missing"), expected \(filters)")
        }
        for (name, base) in [("Uid", uidBase), ("Gid", gidBase)] {
            let ids = Self.words(name, in: status).compactMap { UInt32($0) }
            let end = base + Policy.boxIds
            if ids.count != 4 || Set(ids).count != 1 || ids[0] <= base || ids[0] >= end {
                faults.append("\(name) is \(ids)")
            }
        }
        self.faults = faults
    }

    /// How many filters a process is under, by its `/proc/PID/status`.
    static func filters(_ status: String) -> Int? {
        words("Seccomp_filters", in: status).last.flatMap { Int($0) }
    }

    /// What stands behind a name; none when the name is not there.
    ///
    /// Bytes are looked at: to look for characters takes half a millisecond, of each new box.
    private static func words(_ name: String, in status: String) -> [String] {
        let line = status.utf8.split(separator: UInt8(ascii: "\n")).first { line in
            line.starts(with: name.utf8) && line.dropFirst(name.utf8.count).first == UInt8(ascii: ":")
        }
        let words = line?.dropFirst(name.utf8.count + 1).split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
        return (words ?? []).map { String(Substring($0)) }
    }
}
