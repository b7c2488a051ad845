/// The right to run one call, and the money held for it.
///
/// Give it to ``Ledger/settle(_:_:)`` when something ran, or to ``Ledger/release(_:)`` when nothing did; a hold that
/// ends otherwise is given back by itself. Most are held in memory and die with the
/// process, as the boxes do; one of a large worst case (``LedgerLimits/durableHoldMin``) is on disk as well, and the next
/// process gives it back.
public struct Hold: ~Copyable, Sendable {
    /// The call.
    public let invocation: InvocationID
    /// The longest the call may run; shorter than asked for when ``ceilingBinds``.
    public let wallGranted: Duration
    /// Whether money or a quota, rather than the call's own limit, decides how long it may run.
    public let ceilingBinds: Bool
    /// The price book version that will price the call.
    public let priceVersion: Int64
    let held: HeldCall
    private let ledger: Ledger
    /// Whether the writer has it, so that its end gives nothing back.
    var isOver = false
    var number: UInt64 { held.number }

    init(_ held: HeldCall, priceVersion: Int64, ledger: Ledger) {
        invocation = held.pending.call.invocation
        wallGranted = .microseconds(held.wallMicroseconds)
        ceilingBinds = held.ceilingBinds
        self.priceVersion = priceVersion
        self.held = held
        self.ledger = ledger
    }

    deinit {
        if !isOver { ledger.void(number) }
    }
}

/// What becomes of a call that asks to run, as far as it can be said at once.
public enum Admission: ~Copyable, Sendable {
    /// It may run.
    case admitted(Hold)
    /// It may not.
    case refused(Refusal)
    /// It must wait; give it to ``Ledger/hold(for:)``.
    case waits(WaitingCall)
}

/// A call's place in the line for admission.
public struct WaitingCall: ~Copyable, Sendable {
    enum Reason: ~Copyable, Sendable {
        /// For its hold to be on disk.
        case forDisk(Hold)
        /// For what other calls hold.
        case inLine(PendingCall, Waiter)
    }

    let reason: Reason

    init(_ reason: consuming Reason) { self.reason = reason }
}
