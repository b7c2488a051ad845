/// One limit on money or CPU time, and where it stands; the prepaid credit is one of them.
///
/// - Unit: microcredits, or microseconds of CPU time.
struct Budget: Sendable, Equatable {
    /// The quota's metric; nil for the prepaid credit.
    let metric: QuotaMetric?
    let scope: String
    let limit: Int64
    /// Charged already, in the current window.
    let captured: Int64
    /// Held for running calls.
    let held: Int64

    var available: Int64 { limit - captured - held }
    var isMoney: Bool { metric != .cpuSecondsMonth }
    var scale: Int64 { metric?.scale ?? 1 }
    var window: CalendarWindow? { metric?.window }
}

/// What a call may cost for each time it might run: its price and its CPUs.
struct CostModel: Sendable {
    let prices: PriceBook
    let royalty: Int64
    let cpus: Int64
    /// Whether it costs no money, being a repetition.
    var isFree = false

    /// The most CPU time held for one call, so that no sum of holds can overflow: 2⁴⁶ µs, two years.
    static let cpuMicrosecondsMax: Int64 = 1 << 46
    /// The longest time granted to one call: 2⁴⁰ µs, twelve days.
    static let wallMicrosecondsMax: Int64 = 1 << 40

    func money(_ wall: Int64) -> Int64 {
        guard !isFree else { return 0 }
        let royalty = Microcredits(rawValue: royalty)
        return prices.charge(outcome: .ok, wallMicroseconds: wall, royalty: royalty, policy: .current).amount.rawValue
    }

    func cpu(_ wall: Int64) -> Int64 {
        min(wall * cpus, Self.cpuMicrosecondsMax)
    }

    func need(_ budget: Budget, wall: Int64) -> Int64 {
        budget.isMoney ? money(wall) : cpu(wall)
    }

    /// The longest time a budget's free part pays for, in whole increments.
    func longest(_ budget: Budget) -> Int64 {
        if budget.isMoney, isFree { return CostModel.wallMicrosecondsMax }
        if budget.isMoney { return prices.longestMicroseconds(for: budget.available, royalty: royalty) ?? 0 }
        return prices.roundedDown(budget.available / cpus)
    }
}

/// What decision D3 says about one call at one moment.
enum BudgetVerdict: Equatable {
    /// It may run for so many microseconds; `ceiling` when that is less than it asked for.
    case grant(wall: Int64, ceiling: Bool)
    /// Other calls hold what it needs of this budget.
    case wait(Budget)
    /// Not even one price increment fits; waiting for other calls would not help.
    case refuse(Budget, needed: Int64)
}

/// Decides by money and CPU time: free first, then merely held, then a shorter run, then no.
///
/// - Parameters:
///   - budgets: every limit that applies.
///   - cost: what the call may cost.
///   - wall: the time it asks for, in microseconds.
/// - Returns: the verdict; pure, so that the cases of D3 can be tested one by one.
func decide(budgets: [Budget], cost: CostModel, wall: Int64) -> BudgetVerdict {
    let shortest = min(wall, cost.prices.incrementMicroseconds)
    for budget in budgets {
        let needed = cost.need(budget, wall: shortest)
        if budget.captured > budget.limit - needed { return .refuse(budget, needed: needed) }
    }
    let tight = budgets.filter { cost.need($0, wall: wall) > $0.available }
    if tight.isEmpty { return .grant(wall: wall, ceiling: false) }
    if let contended = tight.first(where: { $0.held > 0 }) { return .wait(contended) }
    let longest = tight.reduce(wall) { min($0, cost.longest($1)) }
    return .grant(wall: max(longest, shortest), ceiling: true)
}
