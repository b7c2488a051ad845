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
            let outcome = dice.pick([0, 0, 0, 1, dice.below(18)])
            return Step(.settle, takeSlot(), outcome, wall, dice.below(2_000_000), dice.below(130))
        case 66..<69: return Step(.release, takeSlot())
        case 69..<74: return gift()
        case 74..<79:
            if dice.chance(percent: 70) { payments += 1 }
            let reference = dice.chance(percent: 70) ? payments : dice.below(payments + 1)
            let account = dice.chance(percent: 5) ? 2 : reference % 2
            return Step(.topup, account, reference, dice.pick([1, 1_000_000, 2_000_000, dice.below(8_000_000)]))
        case 79: return Step(.open, dice.below(3))
        case 80..<84:
            return Step(.royalty, dice.below(6), dice.below(2), dice.pick([0, 1, 3, 999_999, dice.below(500_000)]))
        case 84..<88: return quota()
        case 88..<90: return Step(.unquota, dice.below(8), dice.below(5))
        case 90..<93: return Step(.clock, jump())
        case 93..<95: return Step(.month, dice.below(5) - 2)
        case 95: return Step(.reopen, dice.below(4))
        case 96..<98: return Step(.crash, dice.below(4))
        default: return Step(.audit)
        }
    }

    private mutating func admit() -> Step {
        let wall = dice.pick([1, 999, 1000, 1001, 500_000, 2_000_000, dice.below(3_000_000)])
        let former = dice.chance(percent: 4) ? dice.below(50) + 1 : 0
        var slot = dice.below(6)
        if busySlots.contains(slot), dice.chance(percent: 80) {
            slot = (0..<6).first { !busySlots.contains($0) } ?? slot
        }
        busySlots.insert(slot)
        let account = dice.chance(percent: 4) ? 2 : dice.below(2)
        let key = dice.chance(percent: 25) ? dice.below(Cast.idempotencyKeys) + 1 : 0
        var step = Step(.admit, slot, account, dice.below(2), dice.below(6), dice.below(3), wall, former, key)
        step.numbers.append(dice.chance(percent: 5) ? 1 : 0)
        return step
    }

    /// Money that moves without a call.
    private mutating func gift() -> Step {
        let account = dice.below(2)
        payments += 1
        let reference = dice.chance(percent: 85) ? payments : dice.below(payments + 1)
        switch dice.below(12) {
        case 0..<4:
            let end = dice.pick([0, 1, 1_000_000, 86_400_000_000, dice.below(86_400_000_000)])
            return Step(.grant, account, reference, dice.below(3_000_000) + 1, dice.below(3), end)
        case 4..<6:
            let amount = dice.below(3_000_000) + 1
            return Step(.adjust, account, reference, dice.chance(percent: 50) ? amount : -amount)
        case 6..<8: return Step(.refund, dice.below(40))
        case 8..<10: return Step(.line, account, dice.pick([0, 1, 1_000_000, dice.below(3_000_000)]))
        case 10: return Step(.change, account, dice.pick([0, 1, 1, 1, 1, 2]))
        default: return Step(.tick)
        }
    }

    private mutating func takeSlot() -> Int64 {
        guard !busySlots.isEmpty, dice.chance(percent: 90) else { return dice.below(6) }
        let slot = dice.pick(busySlots.sorted())
        busySlots.remove(slot)
        return slot
    }

    private mutating func quota() -> Step {
        let metric = dice.below(5)
        let most: [Int64] = [6_000_000, 9_000_000, 12, 4, 9]
        return Step(.quota, dice.below(8), metric, dice.below(most[Int(metric)]))
    }

    private mutating func jump() -> Int64 {
        let day: Int64 = 86_400_000_000
        return dice.pick([1, 1_000_000, day, day / 3, -day, -1, dice.chance(percent: 5) ? 3650 * day : 0])
    }
}
