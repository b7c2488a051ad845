extension ModelLedger {
    /// One limit that a call meets: the credit, or a quota that counts over time.
    private struct Limit {
        let refusal: String
        let isCPU: Bool
        let limit: Int128
        let used: Int128
        let held: Int128
    }

    /// What the ledger must say to a call that does not wait.
    mutating func admit(_ step: Step, slot: Int, now: Int64) -> String {
        let account = Cast.accounts[step.index(1, of: Cast.accounts.count)]
        let version = Cast.versions[step.index(3, of: Cast.versions.count)]
        let cpus = Int128(step.index(4, of: 3) + 1)
        let wall = Int128(Cast.wall(step))
        let key = Cast.key(step).map { Key(account: account, name: $0) }
        var replays = false
        if let key {
            if let answer = answer(key, request: step[8], now: now) { return answer }
            replays = (keys[key]?.expires ?? .min) > now
        }
        let invocation = nextInvocation(step)
        guard let state = accounts[account] else { return "refused accountUnknown" }
        if state.state != "open" { return "refused account\(state.state == "frozen" ? "Frozen" : "Closed")" }
        let scopes = scopes(account: account, key: Cast.keys[step.index(2, of: Cast.keys.count)], version: version)
        if isExhausted(scopes, now: max(now, ledgerMicroseconds)) { return "refused failureAllowance" }
        let terms = royalties[version]
        let royalty = terms?.perCall ?? 0
        let limits = limits(scopes, account: account, now: max(now, ledgerMicroseconds))
        let book = self.book

        func need(_ limit: Limit, _ wall: Int128) -> Int128 {
            limit.isCPU ? wall * cpus : replays ? 0 : compute(wall, book) + royalty
        }
        let shortest = min(wall, Int128(book[1]))
        if let hopeless = limits.first(where: { $0.used + need($0, shortest) > $0.limit }) {
            return "refused \(hopeless.refusal)"
        }
        if isFull(scopes) { return "refused concurrency" }
        let tight = limits.filter { $0.used + $0.held + need($0, wall) > $0.limit }
        if let contended = tight.first(where: { $0.held > 0 }) { return "refused \(contended.refusal)" }
        var granted = wall
        if !tight.isEmpty {
            // The most whole increments that fit everywhere, by halving; not less than the shortest run.
            var (fits, tooMany) = (Int128(0), wall / Int128(book[1]) + 1)
            while tooMany - fits > 1 {
                let middle = (fits + tooMany) / 2
                let isGood = tight.allSatisfy { $0.used + $0.held + need($0, middle * Int128(book[1])) <= $0.limit }
                if isGood { fits = middle } else { tooMany = middle }
            }
            granted = max(fits * Int128(book[1]), shortest)
        }
        let money = replays ? 0 : compute(granted, book) + royalty
        held[slot] = Held(
            invocation: invocation,
            account: account,
            scopes: scopes,
            wall: granted,
            money: money,
            cpu: granted * cpus,
            terms: terms,
            key: key,
            request: step[8],
            replays: replays,
            priceVersion: books.count
        )
        if money >= Int128(Cast.durableMicrocredits) {
            block(now: now)
            durables += 1
            held[slot]?.durable = durables
        }
        return "granted \(granted)\(tight.isEmpty ? "" : " ceiling") at \(books.count)"
    }

    /// What a key has to say; nil when the call may run.
    private func answer(_ key: Key, request: Int64, now: Int64) -> String? {
        if let running = held.values.first(where: { $0.key == key }) {
            return running.request == request ? "refused keyInFlight" : "refused keyMismatch"
        }
        guard let known = keys[key], known.expires > now else { return nil }
        guard known.request == request else { return "refused keyMismatch" }
        if known.isGone { return "refused keyAnswerGone" }
        return known.isTooLarge ? nil : "kept \(known.invocation)"
    }

    /// The four scopes of a call, and its author's.
    func scopes(account: String, key: String, version: Int64) -> [String] {
        let algorithm = Cast.algorithm(version).lowercased()
        return [
            "account:\(account)", "key:\(key)", "algorithm:\(algorithm)", "account:\(account)+algorithm:\(algorithm)",
            "author:\(algorithm.split(separator: "/")[0])",
        ]
    }

    /// The scopes whose unpaid CPU time counts, with how much there is of it.
    func allowances(_ scopes: [String]) -> [(scope: String, limit: Int128)] {
        [scopes[0], scopes[4], scopes[3]].enumerated().map { place, scope in
            (scope, (quotas[scope]?[Cast.unpaid] ?? Int128(Cast.unpaidSeconds[place])) * 1_000_000)
        }
    }

    func unpaid(_ scope: String, at moment: Int64) -> Int128 {
        guard let window = ModelCalendar.window(Cast.unpaid, at: moment) else { return 0 }
        return charges.reduce(0) { sum, charge in
            sum + (charge.unpaidScopes.contains(scope) && window.contains(charge.moment) ? charge.unpaid : 0)
        }
    }

    private func isExhausted(_ scopes: [String], now: Int64) -> Bool {
        allowances(scopes).contains { allowance in
            let used = unpaid(allowance.scope, at: now)
            return used > 0 && used >= allowance.limit
        }
    }

    private mutating func nextInvocation(_ step: Step) -> Int {
        let former = step.index(6, of: max(1, invocations))
        // Of a hold on disk there is one for each identifier, and what became of it stands.
        let isOnDisk = held.values.contains { $0.invocation == former && $0.durable != nil }
        if step[6] > 0, invocations > 0, !isOnDisk, !givenBack.contains(former) { return former }
        invocations += 1
        return invocations - 1
    }

    private func limits(_ scopes: [String], account: String, now: Int64) -> [Limit] {
        let free = credit(account, at: now)
        let credit = Limit(refusal: "credit", isCPU: false, limit: free, used: 0, held: heldMoney(account))
        return scopes.reduce(into: [credit]) { limits, scope in
            for metric in Cast.metrics where metric != Cast.unpaid {
                guard let limit = quotas[scope]?[metric], let window = ModelCalendar.window(metric, at: now) else {
                    continue
                }
                let isCPU = metric == "cpu_seconds_month"
                limits.append(
                    Limit(
                        refusal: isCPU ? "cpuQuota" : "spendCap",
                        isCPU: isCPU,
                        limit: limit * (isCPU ? 1_000_000 : 1),
                        used: used(scope, isCPU: isCPU, in: window),
                        held: held(scope, isCPU: isCPU)
                    )
                )
            }
        }
    }

    func used(_ scope: String, isCPU: Bool, in window: Range<Int64>) -> Int128 {
        charges.reduce(0) { sum, charge in
            guard charge.scopes.contains(scope), window.contains(charge.moment) else { return sum }
            return sum + (isCPU ? charge.cpu : charge.amount)
        }
    }

    func held(_ scope: String, isCPU: Bool) -> Int128 {
        held.values.reduce(0) { $0 + ($1.scopes.contains(scope) ? (isCPU ? $1.cpu : $1.money) : 0) }
    }

    func running(_ scope: String) -> Int128 { held.values.reduce(0) { $0 + ($1.scopes.contains(scope) ? 1 : 0) } }

    private func isFull(_ scopes: [String]) -> Bool {
        scopes.contains { scope in
            guard let limit = quotas[scope]?["concurrent_calls"] else { return false }
            return running(scope) >= limit
        }
    }
}
