/// Draws the steps of a history; it remembers what it drew, so that most steps find something to do.
struct Drawing {
    private var dice: Dice
    private var busySlots: Set<Int64> = []
    private var payments: Int64 = 2

    init(seed: Int64, stream: Int64) { dice = Dice(seed: seed, stream: stream) }

    /// A history of at most so many steps; it begins with two accounts that have credit.
    mutating func history(stepsMax: Int64) -> [Step] {
        let count = dice.below(stepsMax) + 1
        let first = [Step(.open, 0), Step(.topup, 0, 0, 5_000_000), Step(.open, 1), Step(.topup, 1, 1, 1_000_000)]
        return first + (0..<count).map { _ in next() }
    }

    private mutating func next() -> Step {
        switch dice.below(100) {
        case 0..<38: return admit()
        case 38..<66:
            let wall = dice.pick([0, 1, 999, 1000, 1001, dice.below(3_000_000), 4_000_000])
            return Step(.settle, takeSlot(), dice.pick([0, 0, 0, dice.below(18)]), wall, dice.below(4_000_000))
        case 66..<70: return Step(.release, takeSlot())
        case 70..<79:
            if dice.chance(percent: 70) { payments += 1 }
            let reference = dice.chance(percent: 70) ? payments : dice.below(payments + 1)
            let account = dice.chance(percent: 5) ? 2 : reference % 2
            return Step(.topup, account, reference, dice.pick([1, 1_000_000, 2_000_000, dice.below(8_000_000)]))
        case 79: return Step(.open, dice.below(3))
        case 80..<84:
            return Step(.royalty, dice.below(6), dice.below(2), dice.pick([0, 1, 3, 999_999, dice.below(500_000)]))
        case 84..<88: return quota()
        case 88..<90: return Step(.unquota, dice.below(7), dice.below(4))
        case 90..<93: return Step(.clock, jump())
        case 93..<95: return Step(.month, dice.below(5) - 2)
        case 95: return Step(.reopen, dice.below(4))
        case 96..<98: return Step(.crash, dice.below(4))
        default: return Step(.audit)
        }
    }

    private mutating func admit() -> Step {
        let wall = dice.pick([1, 999, 1000, 1001, 500_000, 2_000_000, dice.below(3_000_000)])
        let former = dice.chance(percent: 6) ? dice.below(50) + 1 : 0
        let slot = dice.below(6)
        busySlots.insert(slot)
        let account = dice.chance(percent: 4) ? 2 : dice.below(2)
        return Step(.admit, slot, account, dice.below(2), dice.below(6), dice.below(3), wall, former)
    }

    private mutating func takeSlot() -> Int64 {
        guard !busySlots.isEmpty, dice.chance(percent: 90) else { return dice.below(6) }
        let slot = dice.pick(busySlots.sorted())
        busySlots.remove(slot)
        return slot
    }

    private mutating func quota() -> Step {
        let metric = dice.below(4)
        let most: [Int64] = [6_000_000, 9_000_000, 12, 4]
        return Step(.quota, dice.below(7), metric, dice.below(most[Int(metric)]))
    }

    private mutating func jump() -> Int64 {
        let day: Int64 = 86_400_000_000
        return dice.pick([1, 1_000_000, day, day / 3, -day, -1, dice.chance(percent: 5) ? 3650 * day : 0])
    }
}
