import Glibc

/// Runs a history of steps against the model and the real ledger, and compares after each.
struct History {
    let steps: [Step]
    /// Where folders for ledgers are made.
    let folder: String

    /// Where the two parted.
    struct Parting: CustomStringConvertible {
        let place: Int
        let what: String
        let model: String
        let real: String

        var description: String { "after step \(place + 1), \(what)\n  model: \(model)\n  real:  \(real)" }
    }

    /// - Parameter answered: is told every answer.
    /// - Returns: nil when ledger and model agreed to the end.
    /// - Throws: what the ledger throws where the model knows no error.
    func run(answered: (Step, String) -> Void = { _, _ in }) async throws -> Parting? {
        var template = Array("\(folder)/history-XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ $0.baseAddress.map { mkdtemp($0) } ?? nil }) != nil else {
            throw Options.Wrong(description: "no folder in \(folder)")
        }
        let own = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { remove(own) }
        let clock = SharedClock(Cast.startMicroseconds)
        var model = ModelLedger(prices: Cast.prices[0], now: clock.now)
        let real = try RealLedger(folder: own, dice: Dice(seed: 5), shared: clock)
        defer { real.close() }
        for (place, step) in steps.enumerated() {
            move(clock, step)
            let due = model.take(step, now: clock.now)
            let said = try await real.take(step)
            answered(step, said)
            guard due == said else { return Parting(place: place, what: "\(step)", model: due, real: said) }
            if let parting = try compare(model, real, clock, place: place) { return parting }
        }
        return try compareRecords(model, real, place: steps.count - 1)
    }

    private func compare(
        _ model: ModelLedger,
        _ real: RealLedger,
        _ clock: SharedClock,
        place: Int
    ) throws -> Parting? {
        let account = Cast.accounts[place % Cast.accounts.count]
        let (key, version) = (Cast.keys[place % Cast.keys.count], Cast.versions[place % Cast.versions.count])
        let due = model.standing(account: account, key: key, version: version, now: clock.now)
        let found = real.standing(account: account, key: key, version: version)
        guard due == found else {
            return Parting(place: place, what: "\(steps[place]): balances", model: due, real: found)
        }
        return steps[place].kind == .audit ? try compareRecords(model, real, place: place) : nil
    }

    private func compareRecords(_ model: ModelLedger, _ real: RealLedger, place: Int) throws -> Parting? {
        let (due, found) = (model.records, try real.records())
        guard due != found else { return nil }
        let only = (due.filter { !found.contains($0) }, found.filter { !due.contains($0) })
        return Parting(place: place, what: "records", model: "\(only.0)", real: "\(only.1)")
    }

    private func move(_ clock: SharedClock, _ step: Step) {
        switch step.kind {
        case .clock: clock.set(max(0, clock.now + step[0]))
        case .month: clock.set(ModelCalendar.month(at: clock.now).upperBound + step[0])
        default: break
        }
    }

    private func remove(_ folder: String) {
        guard let listing = opendir(folder) else { return }
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink("\(folder)/\(name)")
        }
        closedir(listing)
        rmdir(folder)
    }
}

extension History {
    /// Makes a failing history shorter, and its numbers smaller, as long as it fails.
    func shrunk() async throws -> History {
        var best = self
        var size = max(1, steps.count / 2)
        while size >= 1 {
            var start = 0
            while start < best.steps.count {
                let end = min(start + size, best.steps.count)
                let shorter = History(steps: Array(best.steps[..<start] + best.steps[end...]), folder: folder)
                if try await shorter.fails() { best = shorter } else { start = end }
            }
            size /= 2
        }
        for place in best.steps.indices {
            for number in best.steps[place].numbers.indices {
                for value in [0, 1, 1000, best.steps[place].numbers[number] / 2] {
                    guard value.magnitude < best.steps[place].numbers[number].magnitude else { continue }
                    var steps = best.steps
                    steps[place].numbers[number] = value
                    let smaller = History(steps: steps, folder: folder)
                    if try await smaller.fails() { best = smaller }
                }
            }
        }
        return best
    }

    private func fails() async throws -> Bool {
        do { return try await run() != nil } catch { return true }
    }
}
