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
        let key = Cast.keys[step.index(2, of: Cast.keys.count)]
        let version = Cast.versions[step.index(3, of: Cast.versions.count)]
        let cpus = Int128(step.index(4, of: 3) + 1)
        let wall = Int128(step[5].magnitude % 10_000_000)
        let invocation = nextInvocation(step)
        guard accounts.contains(account) else { return "refused accountUnknown" }
        let algorithm = Cast.algorithm(version).lowercased()
        let scopes = [
            "account:\(account)", "key:\(key)", "algorithm:\(algorithm)", "account:\(account)+algorithm:\(algorithm)",
        ]
        let terms = royalties[version]
        let royalty = terms?.perCall ?? 0
        let limits = limits(scopes, account: account, now: max(now, ledgerMicroseconds))
        let book = self.book

        func need(_ limit: Limit, _ wall: Int128) -> Int128 {
            limit.isCPU ? wall * cpus : compute(wall, book) + royalty
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
        held[slot] = Held(
            invocation: invocation,
            account: account,
            scopes: scopes,
            wall: granted,
            money: compute(granted, book) + royalty,
            cpu: granted * cpus,
            terms: terms
        )
        return "granted \(granted)\(tight.isEmpty ? "" : " ceiling") at \(books.count)"
    }

    private mutating func nextInvocation(_ step: Step) -> Int {
        if step[6] > 0, invocations > 0 { return step.index(6, of: invocations) }
        invocations += 1
        return invocations - 1
    }

    private func limits(_ scopes: [String], account: String, now: Int64) -> [Limit] {
        let credit = Limit(
            refusal: "credit",
            isCPU: false,
            limit: credited(account),
            used: spent(account),
            held: heldMoney(account)
        )
        return scopes.reduce(into: [credit]) { limits, scope in
            for metric in Cast.metrics {
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
