import Billing
import Foundation
import Logging
import Metrics
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Audits the ledger all the time, and stops the taking of calls when something does not fit.
///
/// A stop outlives the daemon: a file in the state directory says so. It ends when everything has been audited and is
/// clean: by an administrator's audit, or by the first pass after a restart.
final class AuditWatch: Service {
    private let ledger: Ledger
    private let monitor: LedgerMonitor
    /// Always the same: the C library keeps memory for each thread that once read the whole ledger.
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let marker: String
    private let interval: Duration
    private let logger: Logger
    private let last = Mutex<Date?>(nil)

    /// - Parameters:
    ///   - ledger: whose admission is stopped.
    ///   - path: its file.
    ///   - marker: the file that says that the ledger was found wrong.
    ///   - interval: from the end of one pass to the next.
    ///   - logger: is told what was found.
    init(ledger: Ledger, path: String, marker: String, interval: Duration, logger: Logger) {
        self.ledger = ledger
        monitor = LedgerMonitor(path: path)
        self.marker = marker
        self.interval = interval
        self.logger = logger
        guard let reason = try? String(contentsOfFile: marker, encoding: .utf8) else { return }
        ledger.suspendAdmission(because: reason)
        logger.critical("calls are refused since before the restart", metadata: ["reason": "\(reason)"])
    }

    /// How old the last pass is; nil before the first.
    var secondsSinceLastPass: Int? { last.withLock { $0.map { Int(Date.now.timeIntervalSince($0)) } } }

    func run() async throws {
        thread.start()
        try? await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await pass()
                try await Task.sleep(for: interval)
            }
        }
        try await thread.shutdownGracefully()
    }

    private func pass() async {
        let monitor = monitor
        let start = ContinuousClock.now
        do {
            let result = try await thread.runIfActive { Result { () throws(LedgerError) in try monitor.pass() } }
            let pass = try result.get()
            Timer(label: "faasd_ledger_audit_seconds").recordNanoseconds((ContinuousClock.now - start).nanoseconds)
            last.withLock { $0 = .now }
            judge(pass.report, isWhole: pass.isWhole)
        } catch {
            // Says nothing of the ledger: no descriptor, no memory. The age of the last pass shows it.
            logger.error("the ledger could not be audited", metadata: ["error": "\(error)"])
        }
    }

    /// Draws the consequences of an audit.
    ///
    /// - Parameters:
    ///   - report: what it found.
    ///   - isWhole: whether it looked at everything; only then may calls be taken again.
    func judge(_ report: AuditReport, isWhole: Bool) {
        guard report.ok else { return stop(report) }
        guard isWhole, ledger.suspensionReason != nil else { return }
        try? FileManager.default.removeItem(atPath: marker)
        monitor.reset()
        ledger.resumeAdmission()
        logger.notice("the ledger was audited and is clean; calls are taken again")
    }

    private func stop(_ report: AuditReport) {
        let count = report.violations.count
        let first = report.violations.first.map { "\($0.check): \($0.detail)" } ?? ""
        let reason = "\(count) \(count == 1 ? "difference" : "differences"), the first: \(first)"
        let isNew = ledger.suspensionReason == nil
        if isNew {
            logger.critical(
                "ledger_audit_failed: calls are refused, running ones go on",
                metadata: ["reason": "\(reason)"]
            )
        }
        ledger.suspendAdmission(because: reason)
        guard isNew else { return }
        do {
            try Data(reason.utf8).write(to: URL(fileURLWithPath: marker), options: .atomic)
        } catch {
            logger.error("a restart will not know that the ledger was found wrong", metadata: ["error": "\(error)"])
        }
        for check in report.checks where !check.ok {
            let found = report.violations.count { $0.check == check.name }
            Gauge(label: "faasd_ledger_audit_differences", dimensions: [("check", check.name)]).record(found)
        }
        for violation in report.violations.prefix(20) {
            logger.critical("difference", metadata: ["check": "\(violation.check)", "detail": "\(violation.detail)"])
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
