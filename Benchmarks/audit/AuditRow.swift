import Billing
import Foundation

/// The row "audit" of the ledger's figures: usage records audited per second.
struct AuditRow {
    /// What one run looked at.
    let usageRecords: Int64
    /// How long each run took, in order.
    let times: [Duration]
    /// CPU time of all runs together, in seconds.
    let cpuSeconds: Double

    /// Audits a file some times; every run must be clean.
    ///
    /// - Parameters:
    ///   - path: the ledger, closed or live.
    ///   - runs: how often; the median is what counts.
    /// - Throws: `LedgerError`, or `Unclean` when the audit found something.
    init(path: String, runs: Int) throws {
        var times: [Duration] = []
        var examined: Int64 = 0
        let before = Self.cpuSeconds
        for _ in 0..<runs {
            let start = ContinuousClock.now
            let report = try Ledger.audit(path: path)
            times.append(.now - start)
            guard report.ok else { throw Unclean(report: report) }
            examined = report.checks.first { $0.name.hasPrefix("I7") }?.examined ?? 0
        }
        (usageRecords, self.times) = (examined, times)
        cpuSeconds = Self.cpuSeconds - before
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
    }

    struct Unclean: Error { let report: AuditReport }

    var recordsPerSecond: Double {
        let median = times.sorted()[times.count / 2]
        return Double(usageRecords) / (median / .seconds(1))
    }

    var text: String {
        let seconds = times.map { String(format: "%.2f", $0 / .seconds(1)) }.joined(separator: ", ")
        let cpu = String(format: "%.1f", cpuSeconds * 1_000_000 / Double(usageRecords) / Double(times.count))
        return "audit: \(Int(recordsPerSecond)) usage records/s (\(usageRecords) records; runs of \(seconds) s; "
            + "\(cpu) µs of CPU for a record)"
    }
}
