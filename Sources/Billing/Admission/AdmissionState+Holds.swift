extension AdmissionState {
    /// Counts an admitted call against its account and all its scopes.
    mutating func hold(_ pending: PendingCall, wall: Int64, ceiling: Bool) -> HeldCall {
        lastHold += 1
        let money = pending.cost.money(wall)
        let held = HeldCall(
            number: lastHold,
            pending: pending,
            wallMicroseconds: wall,
            money: money,
            cpuMicroseconds: pending.cost.cpu(wall),
            ceilingBinds: ceiling,
            isDurable: money > 0 && money >= limits.durableHoldMin.rawValue
        )
        holds[held.number] = held
        count(held, sign: 1)
        return held
    }

    /// Takes a hold for settling; after this only the writer's commit closes it.
    mutating func beginSettling(_ number: UInt64) -> HeldCall? {
        guard let place = holds.index(forKey: number), !holds.values[place].isSettling else { return nil }
        holds.values[place].isSettling = true
        return holds.values[place]
    }

    /// Gives a hold back.
    ///
    /// - Returns: the hold, or nil when it is being settled or was closed before.
    mutating func void(_ number: UInt64) -> HeldCall? {
        guard holds[number]?.isSettling == false else { return nil }
        return close(number)
    }

    /// Removes a hold from all sums.
    mutating func close(_ number: UInt64) -> HeldCall? {
        guard let held = holds.removeValue(forKey: number) else { return nil }
        count(held, sign: -1)
        return held
    }

    private mutating func count(_ held: HeldCall, sign: Int64) {
        let account = held.pending.call.account
        accounts.change(account) {
            $0.held += sign * held.money
            $0.running += sign
            precondition($0.held >= 0, "holds of \(account) fell below zero")
        }
        for scope in held.pending.scopes { scopes.change(scope) { $0.add(held, sign: sign) } }
    }

    /// Lets go of credit that the writer is about to take away, as far as no call holds it.
    ///
    /// - Returns: how much; the commit's publication then tells what is left.
    mutating func takeBack(_ account: String, _ amount: Int64, at time: Int64) -> Int64 {
        guard let state = accounts[account] else { return 0 }
        accounts[account]?.sweptMicroseconds = max(state.sweptMicroseconds, time)
        let free = min(amount, max(0, state.credits + state.overdraft - state.debits - state.held))
        accounts[account]?.credits -= free
        return free
    }

    /// Everything nobody can wait for any more is resumed by the caller, outside the lock.
    mutating func takeDrainers() -> [CheckedContinuation<Void, Never>] {
        guard isDraining, holds.isEmpty else { return [] }
        defer { drainers = [] }
        return drainers
    }
}

extension Dictionary {
    /// Changes a value where it is, if there is one; a subscript would ask for memory to do so.
    mutating func change(_ key: Key, _ change: (inout Value) -> Void) {
        guard let place = index(forKey: key) else { return }
        change(&values[place])
    }
}

extension ScopeState {
    mutating func add(_ held: HeldCall, sign: Int64) {
        running += sign
        heldMoney += sign * held.money
        heldCPU += sign * held.cpuMicroseconds
    }
}
