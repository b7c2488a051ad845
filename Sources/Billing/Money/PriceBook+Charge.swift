/// Microcredits in picocredits: prices are per 10⁻¹² credits, money is in 10⁻⁶.
private let picocreditsPerMicrocredit: Int128 = 1_000_000

extension PriceBook {
    /// Prices one finished call.
    ///
    /// Compute is ⌊(billed wall × price + per-call price) / 10⁶⌋, the only rounding of money; royalty is added whole.
    /// An amount that would pass ``Microcredits/maximum`` stays there.
    ///
    /// - Parameters:
    ///   - outcome: decides who pays (policy version 2; the failure allowance is not asked).
    ///   - wall: time run, rounded up to microseconds and then to the increment.
    ///   - royalty: the version's royalty per call.
    /// - Returns: the charge; nothing for outcomes the platform absorbs.
    public func charge(outcome: Outcome, wall: Duration, royalty: Microcredits) -> Charge {
        charge(outcome: outcome, wallMicroseconds: wall.wholeMicroseconds, royalty: royalty, policy: .current)
    }

    /// The most a call can cost: its worst case is to succeed just before its limit.
    ///
    /// - Parameters:
    ///   - wall: the limit of the time run.
    ///   - royalty: the version's royalty per call.
    /// - Returns: the amount to hold.
    public func maximumCharge(wall: Duration, royalty: Microcredits) -> Microcredits {
        charge(outcome: .ok, wall: wall, royalty: royalty).amount
    }

    /// The longest time an amount pays for.
    ///
    /// - Parameters:
    ///   - amount: what may be spent.
    ///   - royalty: the version's royalty per call.
    /// - Returns: a multiple of the increment, at most 2⁵³ − 1 µs; nil when the amount does not even pay for no time.
    public func longestWall(for amount: Microcredits, royalty: Microcredits) -> Duration? {
        longestMicroseconds(for: amount.rawValue, royalty: royalty.rawValue).map { .microseconds($0) }
    }

    func charge(
        outcome: Outcome,
        wallMicroseconds: Int64,
        royalty: Microcredits,
        policy: PayPolicy,
        isAbsorbed: Bool = false
    ) -> Charge {
        let owed = policy.callerPaysRoyalty(outcome, isAbsorbed: isAbsorbed) ? min(royalty, .maximum) : .zero
        guard policy.callerPaysCompute(outcome, isAbsorbed: isAbsorbed) else {
            return Charge(compute: .zero, royalty: owed, billedMicroseconds: 0)
        }
        let billed = roundedUp(wallMicroseconds)
        let line =
            Int128(billed) * Int128(computePicocreditsPerMicrosecond)
            + Int128(perCallMicrocredits) * picocreditsPerMicrocredit
        let room = Int128(Microcredits.maximum.rawValue - owed.rawValue)
        let compute = Int64(min(line / picocreditsPerMicrocredit, room))
        return Charge(compute: Microcredits(rawValue: compute), royalty: owed, billedMicroseconds: billed)
    }

    func longestMicroseconds(for amount: Int64, royalty: Int64) -> Int64? {
        let budget = Int128(amount) - Int128(royalty) - Int128(perCallMicrocredits)
        guard budget >= 0 else { return nil }
        guard computePicocreditsPerMicrosecond > 0 else { return roundedDown(wallMicrosecondsMax) }
        // floor(q·rate / 10⁶) ≤ budget  ⇔  q·rate < (budget + 1)·10⁶
        let quantity =
            ((budget + 1) * picocreditsPerMicrocredit - 1) / Int128(computePicocreditsPerMicrosecond)
        return roundedDown(Int64(min(quantity, Int128(wallMicrosecondsMax))))
    }

    func roundedDown(_ microseconds: Int64) -> Int64 {
        microseconds - microseconds % incrementMicroseconds
    }

    private func roundedUp(_ microseconds: Int64) -> Int64 {
        let bounded = min(max(microseconds, 0), wallMicrosecondsMax)
        return (bounded + incrementMicroseconds - 1) / incrementMicroseconds * incrementMicroseconds
    }
}

/// Longest time that is priced: 2⁵³ − 1 µs, 285 years.
let wallMicrosecondsMax: Int64 = (1 << 53) - 1

extension Duration {
    /// The duration in microseconds, rounded up; at most 2⁵³ − 1, at least 0.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < wallMicrosecondsMax / 1_000_000 else { return wallMicrosecondsMax }
        return seconds * 1_000_000 + (attoseconds + 999_999_999_999) / 1_000_000_000_000
    }
}
