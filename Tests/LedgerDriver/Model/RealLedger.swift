import Billing
import Glibc
import SQLite
import Synchronization

/// The real ledger behind the same steps: does what a step says, and answers in the model's words.
final class RealLedger {
    /// Keeps a hold, which no array can.
    private final class Slot {
        private var hold: Hold?
        let invocation: Int
        let claim: KeyClaim?

        init(_ hold: consuming Hold, invocation: Int, claim: KeyClaim?) {
            self.hold = consume hold
            (self.invocation, self.claim) = (invocation, claim)
        }

        func take() -> Hold? { hold.take() }
    }

    private let folder: String
    private let shared: SharedClock
    /// Each crash goes on in a copy.
    private var copies = 0
    private var ledger: Ledger
    private var slots: [Int: Slot] = [:]
    /// Those whose hold is on disk.
    private var durable: Set<Int> = []
    private var givenBack: Set<Int> = []
    private var invocations: [InvocationID] = []
    private var dice: Dice
    private let poisoned = Poisoned()

    private final class Poisoned: Sendable {
        let error = Mutex<LedgerError?>(nil)
    }

    /// - Parameters:
    ///   - folder: empty; the ledger and its copies are made there.
    ///   - dice: for the identifiers of calls.
    ///   - shared: the clock, which the runner moves.
    /// - Throws: `LedgerError`.
    init(folder: String, dice: Dice, shared: SharedClock) throws {
        self.folder = folder
        self.dice = dice
        self.shared = shared
        ledger = try Self.open(folder + "/ledger.db", prices: Cast.prices[0], clock: shared, poisoned: poisoned)
    }

    private static func open(
        _ path: String,
        prices: [Int64],
        clock: SharedClock,
        poisoned: Poisoned
    ) throws -> Ledger {
        var limits = LedgerLimits()
        limits.unpaidCPUAccount = .seconds(Cast.unpaidSeconds[0])
        limits.unpaidCPUAuthor = .seconds(Cast.unpaidSeconds[1])
        limits.unpaidCPUPair = .seconds(Cast.unpaidSeconds[2])
        limits.durableHoldMin = .init(rawValue: Cast.durableMicrocredits)
        limits.keptAnswerBytesMax = Cast.keptAnswerBytesMax
        return try Ledger(
            path: path,
            prices: PriceBook(
                computePicocreditsPerMicrosecond: prices[0],
                incrementMicroseconds: prices[1],
                perCallMicrocredits: prices[2],
                feeBasisPoints: prices[3]
            ),
            limits: limits,
            clock: LedgerClock(unixMicroseconds: { clock.now }, monotonicNanoseconds: { 0 }),
            onPoison: { error in poisoned.error.withLock { $0 = error } }
        )
    }

    private var path: String { copies == 0 ? folder + "/ledger.db" : folder + "/\(copies).db" }

    func close() { ledger.close() }

    func take(_ step: Step) async throws -> String {
        do throws(LedgerError) {
            switch step.kind {
            case .open: try await ledger.openAccount(account(step, 0))
            case .topup, .grant, .adjust: try await pay(step)
            case .refund:
                guard !invocations.isEmpty else { return "nothing" }
                let invocation = invocations[step.index(0, of: invocations.count)]
                try await ledger.refund(invocation, reason: "", actor: "model")
            case .line, .change: return try await change(step)
            case .tick: try await ledger.tick()
            case .royalty:
                let version = Cast.versions[step.index(0, of: Cast.versions.count)]
                try await ledger.setRoyalty(
                    versionID: version,
                    algorithm: Cast.algorithm(version),
                    author: Cast.authors[step.index(1, of: Cast.authors.count)],
                    perCall: Microcredits(rawValue: step[2])
                )
            case .quota, .unquota: return try await changeQuota(step)
            case .admit: return await admit(step)
            case .settle: return try await settle(step)
            case .release: return try await release(step.index(0, of: Cast.slots))
            default: break
            }
        } catch {
            return "error \(error.kind.rawValue)"
        }
        switch step.kind {
        case .reopen, .crash: return try reopen(step)
        default: return "done"
        }
    }

    private func account(_ step: Step, _ place: Int) -> String {
        Cast.accounts[step.index(place, of: Cast.accounts.count)]
    }

    private func pay(_ step: Step) async throws(LedgerError) {
        let reference = Cast.references[step.index(1, of: Cast.references.count)]
        let amount = Microcredits(rawValue: step[2])
        switch step.kind {
        case .topup: try await ledger.topUp(account: account(step, 0), amount: amount, ref: reference, actor: "model")
        case .grant:
            try await ledger.grant(
                account: account(step, 0),
                amount: amount,
                priority: step[3],
                expires: step[4] == 0 ? nil : shared.now + Int64(step[4].magnitude),
                ref: reference,
                actor: "model"
            )
        default:
            try await ledger.adjust(
                account: account(step, 0),
                amount: step[2],
                reason: "",
                ref: reference,
                actor: "model"
            )
        }
    }

    private func change(_ step: Step) async throws(LedgerError) -> String {
        let changes: [AccountChange] = [.freeze, .unfreeze, .close]
        let change = step.kind == .line ? .overdraft(Int64(step[1].magnitude)) : changes[step.index(1, of: 3)]
        return "rev \(try await ledger.change(account(step, 0), change, reason: "", actor: "model"))"
    }

    private func changeQuota(_ step: Step) async throws(LedgerError) -> String {
        let (name, unit) = Cast.quota(step)
        guard let scope = try? QuotaScope(name), let metric = QuotaMetric(rawValue: unit) else {
            return "\(name) is no scope"
        }
        if step.kind == .unquota {
            return try await ledger.unsetQuota(scope, metric, actor: "model") ? "done" : "nothing"
        }
        try await ledger.setQuota(scope, metric, limit: Int64(step[2].magnitude), actor: "model")
        return "done"
    }

    private func admit(_ step: Step) async -> String {
        let slot = step.index(0, of: Cast.slots)
        guard slots[slot] == nil else { return "taken" }
        do throws(Refusal) {
            var claim: KeyClaim?
            if let key = Cast.key(step) {
                switch try ledger.claim(
                    key: key,
                    request: [UInt8(truncatingIfNeeded: step[8])],
                    account: account(step, 1)
                ) {
                case .kept(let reply):
                    let isSame = reply.response.first == UInt8(ascii: "a") && reply.status == 200
                    return "kept \(invocations.firstIndex(of: reply.invocation) ?? -1)\(isSame ? "" : " otherwise")"
                case .claimed(let claimed): claim = claimed
                }
            }
            let number = nextInvocation(step)
            let before = held(account(step, 1))
            let hold = try await ledger.admit(call(step, invocations[number], replayOf: claim?.replayOf))
            if held(account(step, 1)) - before >= Cast.durableMicrocredits { durable.insert(slot) }
            let granted = hold.wallGranted.components
            let wall = granted.seconds * 1_000_000 + granted.attoseconds / 1_000_000_000_000
            let answer = "granted \(wall)\(hold.ceilingBinds ? " ceiling" : "") at \(hold.priceVersion)"
            slots[slot] = Slot(hold, invocation: number, claim: claim)
            return answer
        } catch {
            return "refused \(error.kind.rawValue)"
        }
    }

    private func held(_ account: String) -> Int64 { (try? ledger.balance(of: account).held.rawValue) ?? 0 }

    private func nextInvocation(_ step: Step) -> Int {
        let former = step.index(6, of: max(1, invocations.count))
        let isOnDisk = slots.contains { $0.value.invocation == former && durable.contains($0.key) }
        if step[6] > 0, !invocations.isEmpty, !isOnDisk, !givenBack.contains(former) { return former }
        invocations.append(dice.invocation())
        return invocations.count - 1
    }

    private func call(_ step: Step, _ invocation: InvocationID, replayOf: InvocationID?) -> CallDescription {
        let version = Cast.versions[step.index(3, of: Cast.versions.count)]
        return CallDescription(
            invocation: invocation,
            account: account(step, 1),
            keyID: Cast.keys[step.index(2, of: Cast.keys.count)],
            algorithm: Cast.algorithm(version),
            versionID: version,
            version: "1.0.\(version)",
            cpus: step.index(4, of: 3) + 1,
            wallLimit: .microseconds(Cast.wall(step)),
            deadline: .now - .seconds(1),
            replayOf: replayOf
        )
    }

    private func settle(_ step: Step) async throws(LedgerError) -> String {
        let slot = slots.removeValue(forKey: step.index(0, of: Cast.slots))
        guard let hold = slot?.take() else { return "empty" }
        durable.remove(step.index(0, of: Cast.slots))
        let usage = UsageRecord(
            outcome: Outcome(rawValue: step.index(1, of: 18)) ?? .platformFault,
            startMicroseconds: shared.now,
            wall: .microseconds(Int64(step[2].magnitude)),
            cpu: .microseconds(Int64(step[3].magnitude))
        )
        let size = max(1, Int(step[4].magnitude % 1000))
        let answer = slot?.claim.map {
            KeptAnswer(claim: $0, status: 200, response: Array(repeating: UInt8(ascii: "a"), count: size))
        }
        let receipt = try await ledger.settle(hold, usage, keeping: answer)
        let charge = "\(receipt.compute.rawValue)+\(receipt.royalty.rawValue)"
        return "charged \(charge), remaining \(receipt.remaining.rawValue)"
    }

    private func release(_ slot: Int) async throws(LedgerError) -> String {
        guard let number = slots[slot]?.invocation else { return "empty" }
        let isShared = slots.contains { $0.key != slot && $0.value.invocation == number }
        if durable.contains(slot), isShared { return "shared" }
        let (held, before) = (ledger.load.admitted, slots.removeValue(forKey: slot))
        guard let hold = before?.take() else { return "empty" }
        let isDurable = durable.remove(slot) != nil
        if isDurable { givenBack.insert(number) }
        ledger.release(hold)
        guard isDurable else { return held == ledger.load.admitted + 1 ? "released" : "still held" }
        // Nobody is told when a hold on disk has gone; it is, when what was asked for afterwards is done.
        while ledger.load.queued > 0 { await Task.yield() }
        try await ledger.tick()
        return "released"
    }

    private func reopen(_ step: Step) throws -> String {
        let prices = Cast.prices[step.index(0, of: Cast.prices.count)]
        let before = path
        if step.kind == .crash {
            copies += 1
            try copy(before, path)
            try copy(before + "-wal", path + "-wal")
        }
        ledger.close()
        slots = [:]
        durable = []
        ledger = try Self.open(path, prices: prices, clock: shared, poisoned: poisoned)
        return "open \(ledger.priceVersion)"
    }

    /// The files of a crash: no commit is under way, so all that was acknowledged is in them.
    private func copy(_ source: String, _ target: String) throws {
        let (input, output) = (
            Glibc.open(source, O_RDONLY | O_CLOEXEC), Glibc.open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        )
        defer {
            Glibc.close(input)
            Glibc.close(output)
        }
        guard input >= 0, output >= 0 else { throw Options.Wrong(description: "cannot copy \(source)") }
        while case let count = sendfile(output, input, nil, 1 << 30), count != 0 {
            guard count > 0 else { throw Options.Wrong(description: "cannot copy \(source)") }
        }
    }

    /// The same as ``ModelLedger/standing(account:key:version:now:)``.
    func standing(account: String, key: String, version: Int64) -> String {
        if let error = poisoned.error.withLock({ $0 }) { return "\(error)" }
        let balances = Cast.accounts.map { account in
            guard let balance = try? ledger.balance(of: account) else { return "\(account) unknown" }
            return "\(account) \(balance.available.rawValue)/\(balance.held.rawValue)/\(balance.spent.rawValue)"
        }
        var lines: [String] = []
        let explained = ledger.explain(account: account, keyID: key, algorithm: Cast.algorithm(version))
        for metric in Cast.metrics {
            for link in explained.first(where: { $0.metric.rawValue == metric })?.chain ?? [] {
                let until = link.reset.map { " until \($0)" } ?? ""
                lines.append("\(metric) \(link.scope) \(link.used)/\(link.limit)\(until)")
            }
        }
        return (balances + ["\(ledger.load.admitted) held"] + lines).joined(separator: "; ")
    }

    /// The same as ``ModelLedger/records``, read from the file; with what an audit finds.
    func records() throws -> [String] {
        let numbers = Dictionary(invocations.enumerated().map { ($1.description, $0) }) { first, _ in first }
        let names = Dictionary(Outcome.allCases.map { ($0.name, $0.rawValue) }) { first, _ in first }
        let lines = try ledger.usage(limit: 1000).reversed().map { usage in
            "\(numbers[usage.id] ?? -1) \(usage.account) \(names[usage.outcome] ?? -1) \(usage.billedWallMicroseconds)"
                + " \(usage.computeMicrocredits)+\(usage.royaltyMicrocredits) at \(usage.priceVersion)"
        }
        let connection = try Connection(path: path, access: .readOnly)
        func credit(_ owner: String, _ kind: Int64) throws -> Int64 {
            let sql = "SELECT credits - debits FROM account WHERE owner = ? AND kind = ?"
            let found = try connection.query(sql, .text(owner), .integer(kind)) { (row) throws(SQLiteError) in
                row.int64(0)
            }
            return found.first ?? 0
        }
        let authors = try Cast.authors.map { "\($0) earned \(try credit($0, 2))" }
        let report = try Ledger.audit(path: path)
        let violations = report.violations.map { "\($0.check): \($0.detail)" }
        let lots = try connection.query("SELECT credits - debits FROM account WHERE kind = 12 ORDER BY id") {
            (row) throws(SQLiteError) in "grant \(row.int64(0))"
        }
        let sums = try ["fees \(credit("", 3))", "compute \(credit("", 4))", "ended \(credit("", 11))"]
        return lines + authors + sums + lots + violations
    }
}

/// The clock of one history.
final class SharedClock: Sendable {
    private let time: Mutex<Int64>

    init(_ start: Int64) { time = Mutex(start) }

    var now: Int64 { time.withLock { $0 } }
    func set(_ value: Int64) { time.withLock { $0 = value } }
}
