internal import FaasClient
internal import FoundationEssentials

/// Numbers and instants as people read them.
enum Display {
    /// Microcredits as credits, without superfluous zeros: 12,500,000 is `12.5`.
    static func credits(_ microcredits: Int64) -> String {
        let magnitude = microcredits.magnitude
        let fraction = String(magnitude % 1_000_000)
        var digits = String(repeating: "0", count: 6 - fraction.count) + fraction
        while digits.last == "0" { digits.removeLast() }
        let sign = microcredits < 0 ? "-" : ""
        return "\(sign)\(magnitude / 1_000_000)" + (digits.isEmpty ? "" : ".\(digits)")
    }

    /// Microseconds as milliseconds with three places.
    static func milliseconds(_ microseconds: Int64?) -> String {
        guard let microseconds else { return "-" }
        let fraction = String(microseconds.magnitude % 1_000)
        let digits = String(repeating: "0", count: 3 - fraction.count) + fraction
        return "\(microseconds < 0 ? "-" : "")\(microseconds.magnitude / 1_000).\(digits) ms"
    }

    /// Bytes in the largest unit that divides them, `512 MiB`.
    static func bytes(_ bytes: Int64) -> String {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift) \(unit)"
        }
        return "\(bytes) B"
    }

    /// Bytes with one decimal, for sizes that are no round number: `1.2 MB`.
    static func size(_ bytes: Int) -> String {
        let units = [(1_000_000, "MB"), (1_000, "kB")]
        guard let (unit, name) = units.first(where: { bytes >= $0.0 }) else { return "\(bytes) B" }
        return "\(bytes / unit).\(bytes % unit * 10 / unit) \(name)"
    }

    /// An instant: text as it is, microseconds since 1970 as ISO 8601 (UTC).
    static func instant(_ value: Scalar?) -> String {
        guard let value else { return "-" }
        guard let microseconds = value.integer else { return value.description }
        return Date(timeIntervalSince1970: Double(microseconds) / 1_000_000).formatted(.iso8601)
    }

    /// A moment given in seconds of Unix time, as limits are reset.
    static func moment(seconds value: Scalar?) -> String {
        guard let value, let seconds = value.integer else { return value?.description ?? "-" }
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    static func yesNo(_ flag: Bool) -> String { flag ? "yes" : "no" }
}
