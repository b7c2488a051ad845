import Synchronization

/// Admission stops when the ledger cannot be trusted, and can go on; what has been admitted is captured all the same.
extension Ledger {
    /// Refuses calls from now on, also those that wait; running ones are charged as usual.
    ///
    /// - Parameter reason: what was found, for administrators; callers are told only that something was.
    public func suspendAdmission(because reason: String) { suspension.withLock { $0 = reason } }

    /// Admits calls again.
    public func resumeAdmission() { suspension.withLock { $0 = nil } }

    /// Why no call is admitted; nil while calls are.
    public var suspensionReason: String? { suspension.withLock { $0 } }

    /// Asked before a call waits and after it has been let in.
    func checkSuspension() throws(Refusal) {
        if suspensionReason != nil { throw .suspended() }
    }
}
