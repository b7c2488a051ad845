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
    let number: UInt64
    private let ledger: Ledger

    init(_ held: HeldCall, priceVersion: Int64, ledger: Ledger) {
        invocation = held.pending.call.invocation
        wallGranted = .microseconds(held.wallMicroseconds)
        ceilingBinds = held.ceilingBinds
        self.priceVersion = priceVersion
        number = held.number
        self.ledger = ledger
    }

    deinit {
        ledger.void(number)
    }
}
