import Billing

/// Money that moves without a call: grants that end, corrections, overdraft lines.
struct Gifts: Sendable {
    let ledger: Ledger
    let scene: Scene
    let clock: LedgerClock

    /// Gives some charges back.
    func refund(_ receipt: Receipt) async {
        guard receipt.charge.rawValue % 50 == 7 else { return }
        try? await ledger.refund(receipt.invocation, reason: "test", actor: "driver")
    }

    /// Does one of them; what the ledger refuses is not done.
    func give(_ dice: inout Dice) async {
        let account = dice.pick(scene.accounts)
        let reference = "gift \(dice.below(1 << 40))"
        let amounts: [Int64] = [1, 1000, 1_000_000, dice.below(50_000_000) + 1]
        let amount = dice.pick(amounts)
        let (kind, priority) = (dice.below(4), dice.below(4))
        let day: Int64 = 86_400_000_000
        let spans: [Int64] = [1, day / 24, 40 * day]
        let end = clock.unixMicroseconds() + dice.below(dice.pick(spans)) + 1
        do throws(LedgerError) {
            switch kind {
            case 0, 1:
                try await ledger.grant(
                    account: account,
                    amount: .init(rawValue: amount),
                    priority: priority,
                    expires: kind == 0 ? nil : end,
                    ref: reference,
                    actor: "driver"
                )
            case 2:
                let signed = dice.chance(percent: 50) ? amount : -amount
                try await ledger.adjust(
                    account: account,
                    amount: signed,
                    reason: "test",
                    ref: reference,
                    actor: "driver"
                )
            default: try await ledger.change(Scene.poor, .overdraft(amount), reason: "test", actor: "driver")
            }
        } catch {
            // Refused: too much to be taken away, a line below what is owed.
        }
    }
}
