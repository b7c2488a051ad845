import Billing
import Glibc
import Synchronization

/// Verb `charge`: many tasks admit and settle calls; the journal says what was asked, and what was answered.
///
///     begin ID ACCOUNT [KEY]      before admission
///     ack ID AMOUNT         settle has returned this charge
///     fail ID KIND          refused, released, or the ledger said that nothing was recorded
///     info ID               the ledger said that it does not know
///     kept ID ACCOUNT KEY      the idempotency key has the answer of this call
///     ask N, read N ACCOUNT AVAILABLE HELD SPENT      before and after one reading of a balance
///     load QUEUED           operations in the writer's queue
///     busy                  an administrative change was refused because the queue was full
struct Charging: Sendable {
    private let setting: Setting
    private let scene: Scene
    private let journal: Journal
    private let seed: Int64
    private let tasks: Int64
    private let readers: Int64
    /// Calls of each task; 0 for ever.
    private let count: Int64
    /// How often the ledger is opened and closed again.
    private let runs: Int64
    /// Different idempotency keys, which half of the calls use; 0 for none.
    private let keys: Int64
    /// Whether clients also grant, correct and give back.
    private let hasGifts: Bool

    /// Some answers are larger.
    static let keptAnswerBytesMax = 64

    init(_ options: Options) throws {
        setting = try Setting(options)
        scene = Scene(seed: try options.number("scene", or: 1))
        journal = try Journal(path: try options.text("journal"))
        seed = try options.number("seed", or: 1)
        tasks = try options.number("tasks", or: 8)
        readers = try options.number("readers", or: 0)
        count = try options.number("count", or: 0)
        runs = try options.number("runs", or: 1)
        keys = try options.number("keys", or: 0)
        hasGifts = options.text("gifts", or: "no") == "yes"
    }

    /// - Returns: the exit code.
    func run() async throws -> Int32 {
        for run in 0..<runs {
            let poison = Poison()
            let ledger = try Ledger(
                path: setting.path,
                prices: setting.prices,
                limits: setting.limits,
                clock: setting.clock,
                onPoison: { poison.tell($0) }
            )
            journal.write("open \(run)")
            let isPrepared = await prepare(ledger)
            if isPrepared { await charge(ledger, run: run) }
            // After this the writer has said all it has to say.
            ledger.close()
            journal.write("close \(run)")
            if poison.isTold { return 74 }
            guard isPrepared else { return 1 }
        }
        return 0
    }

    private func prepare(_ ledger: Ledger) async -> Bool {
        do {
            try await scene.prepare(ledger)
            return true
        } catch {
            Journal.standardError.write("ledger-driver: \(error)")
            return false
        }
    }

    /// Runs until every task has made its calls, or the ledger has stopped.
    private func charge(_ ledger: Ledger, run: Int64) async {
        await withTaskGroup(of: Void.self) { readers in
            for number in 0..<self.readers { readers.addTask { await read(ledger, number: number) } }
            await withTaskGroup(of: Void.self) { clients in
                for number in 0..<tasks {
                    clients.addTask { await client(ledger, dice: Dice(seed: seed, stream: run * tasks + number)) }
                }
            }
            readers.cancelAll()
        }
    }

    private func client(_ ledger: Ledger, dice: Dice) async {
        var dice = dice
        var made: Int64 = 0
        while count == 0 || made < count {
            made += 1
            guard await once(ledger, &dice) else { return }
        }
    }

    private func gifts(_ ledger: Ledger) -> Gifts { Gifts(ledger: ledger, scene: scene, clock: setting.clock) }

    /// One call, half of the time with a key that others use too.
    ///
    /// - Returns: whether to go on.
    private func once(_ ledger: Ledger, _ dice: inout Dice) async -> Bool {
        if hasGifts, dice.chance(percent: 5) { await gifts(ledger).give(&dice) }
        let account = dice.pick(scene.accounts)
        guard keys > 0, dice.chance(percent: 50) else { return await call(ledger, account, claim: nil, &dice) }
        let key = "key-\(dice.below(keys))"
        do throws(Refusal) {
            switch try ledger.claim(key: key, request: Array(key.utf8), account: account) {
            case .kept(let reply):
                let isSame = String(decoding: reply.response, as: UTF8.self).hasPrefix("\(reply.invocation)")
                journal.write("kept \(reply.invocation) \(account) \(key)\(isSame ? "" : " with another answer")")
                return true
            case .claimed(let claim): return await call(ledger, account, claim: claim, &dice)
            }
        } catch {
            return error.kind == .keyInFlight || error.kind == .keyAnswerGone
        }
    }

    private func call(_ ledger: Ledger, _ account: String, claim: KeyClaim?, _ dice: inout Dice) async -> Bool {
        let call = scene.call(&dice, account: account, replayOf: claim?.replayOf)
        let id = call.invocation
        journal.write("begin \(id) \(account)\(claim.map { " \($0.key)" } ?? "")")
        do throws(Refusal) {
            let hold = try await ledger.admit(call)
            if dice.chance(percent: 4) {
                ledger.release(hold)
                journal.write("fail \(id) released")
                return true
            }
            let usage = scene.usage(&dice, granted: hold.wallGranted)
            let padding = String(repeating: ".", count: dice.chance(percent: 20) ? Self.keptAnswerBytesMax : 0)
            let answer = claim.map { KeptAnswer(claim: $0, status: 200, response: Array("\(id)\(padding)".utf8)) }
            return await settle(ledger, hold, usage, keeping: answer)
        } catch {
            journal.write("fail \(id) \(error.kind.rawValue)")
            return error.kind != .draining
        }
    }

    private func settle(
        _ ledger: Ledger,
        _ hold: consuming Hold,
        _ usage: UsageRecord,
        keeping answer: KeptAnswer?
    ) async -> Bool {
        let id = hold.invocation
        do throws(LedgerError) {
            let receipt = try await ledger.settle(hold, usage, keeping: answer)
            journal.write("ack \(id) \(receipt.charge.rawValue)")
            if hasGifts { await gifts(ledger).refund(receipt) }
            return true
        } catch {
            journal.write(error.kind == .outcomeUnknown ? "info \(id)" : "fail \(id) \(error.kind.rawValue)")
            return false
        }
    }

    /// Reads balances until told to stop; tries an administrative change whenever the queue is full.
    private func read(_ ledger: Ledger, number: Int64) async {
        var reading = number
        while !Task.isCancelled {
            let account = scene.accounts[Int(reading) % scene.accounts.count]
            journal.write("ask \(reading)")
            guard let balance = try? ledger.balance(of: account) else { return }
            let figures = [balance.available, balance.held, balance.spent].map { "\($0.rawValue)" }
            journal.write("read \(reading) \(account) \(figures.joined(separator: " "))")
            journal.write("load \(ledger.load.queued)")
            reading += readers
            if ledger.load.queued >= setting.limits.writerQueueMax { await change(ledger) }
            try? await Task.sleep(for: .microseconds(300))
        }
    }

    /// Tries an administrative change that would change nothing.
    private func change(_ ledger: Ledger) async {
        do throws(LedgerError) {
            try await ledger.openAccount("caller-new")
        } catch {
            if error.kind == .busy { journal.write("busy") }
        }
    }
}

/// Whether the ledger has said that it stopped; a caller that is not answered within ten seconds ends the process.
private final class Poison: Sendable {
    private let told = Mutex(false)

    var isTold: Bool { told.withLock { $0 } }

    func tell(_ error: LedgerError) {
        Journal.standardError.write("ledger-driver: poisoned: \(error)")
        told.withLock { $0 = true }
        // Unstructured: it must outlive a caller that waits for ever.
        Task.detached {
            try? await Task.sleep(for: .seconds(10))
            exit(75)
        }
    }
}
