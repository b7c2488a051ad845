/// What a call costs: one version of the prices, immutable once published.
///
/// - Unit: compute in picocredits (10⁻¹² credits) per microsecond of wall time; the per-call price in microcredits.
/// - Shape: money is rounded once per usage record, downwards (``charge(outcome:wall:royalty:)``).
public struct PriceBook: Sendable, Codable, Equatable {
    /// Price of a microsecond of wall time in picocredits; 1,000,000 is one credit per second.
    public let computePicocreditsPerMicrosecond: Int64
    /// Wall time is rounded up to a multiple of this many microseconds.
    public let incrementMicroseconds: Int64
    /// Price of a call whose compute the caller pays, besides its time.
    public let perCallMicrocredits: Int64
    /// The platform's share of a royalty in hundredths of a percent, fixed for a version when its royalty is set.
    public let feeBasisPoints: Int64

    /// Makes a price book.
    ///
    /// - Parameters:
    ///   - computePicocreditsPerMicrosecond: 0 … 2⁵³ − 1.
    ///   - incrementMicroseconds: 1 … 3,600,000,000 (an hour).
    ///   - perCallMicrocredits: 0 … 2⁵³ − 1.
    ///   - feeBasisPoints: 0 … 10,000.
    /// - Throws: `BillingError` naming the price that is out of its range.
    public init(
        computePicocreditsPerMicrosecond: Int64 = 1_000_000,
        incrementMicroseconds: Int64 = 1000,
        perCallMicrocredits: Int64 = 0,
        feeBasisPoints: Int64 = 3000
    ) throws(BillingError) {
        let largest = Microcredits.maximum.rawValue
        let ranges: [(String, Int64, ClosedRange<Int64>)] = [
            ("computePicocreditsPerMicrosecond", computePicocreditsPerMicrosecond, 0...largest),
            ("incrementMicroseconds", incrementMicroseconds, 1...3_600_000_000),
            ("perCallMicrocredits", perCallMicrocredits, 0...largest),
            ("feeBasisPoints", feeBasisPoints, 0...10_000),
        ]
        for (field, value, range) in ranges where !range.contains(value) {
            throw BillingError(field, "\(value)", "it lies in \(range)")
        }
        self.init(
            checkedCompute: computePicocreditsPerMicrosecond,
            increment: incrementMicroseconds,
            perCall: perCallMicrocredits,
            fee: feeBasisPoints
        )
    }

    private init(checkedCompute: Int64, increment: Int64, perCall: Int64, fee: Int64) {
        computePicocreditsPerMicrosecond = checkedCompute
        incrementMicroseconds = increment
        perCallMicrocredits = perCall
        feeBasisPoints = fee
    }

    /// One credit per second, by the millisecond, no per-call price, 30 % of royalties to the platform.
    public static let standard = PriceBook(checkedCompute: 1_000_000, increment: 1000, perCall: 0, fee: 3000)
}

/// What one call costs its caller.
public struct Charge: Sendable, Equatable {
    /// Compute, with the per-call price; goes to the platform.
    public let compute: Microcredits
    /// Royalty; goes to the author, less the platform's fee.
    public let royalty: Microcredits
    /// Wall time after rounding up, in microseconds; 0 when the caller pays no compute.
    public let billedMicroseconds: Int64
    /// Compute and royalty together; at most ``Microcredits/maximum``.
    public var amount: Microcredits { Microcredits(rawValue: compute.rawValue + royalty.rawValue) }
}
