internal import Billing
public import Catalog
internal import Logging
internal import Synchronization

/// What an administrator wants of the workers of one account's calls of one version.
public struct WorkerWish: Sendable {
    /// The version that such calls are about.
    public var version: AlgorithmVersion
    /// Who calls.
    public var account: String
    /// Workers at most; nil for the daemon's own bound.
    public var max: Int?
    /// Workers that are kept loaded.
    public var warm: Int
    /// Seats that nobody else may take.
    public var reserved: Int

    /// Collects the parts.
    public init(version: AlgorithmVersion, account: String, max: Int? = nil, warm: Int = 0, reserved: Int = 0) {
        (self.version, self.account, self.max, self.warm, self.reserved) = (version, account, max, warm, reserved)
    }

    var key: PoolKey {
        PoolKey(versionID: version.id, account: version.isolation == .shared ? "" : account)
    }
}

extension Invoker {
    /// Takes over what is wanted of workers, in place of what was wanted before, and starts those that are missing.
    ///
    /// Where accounts share the workers of a version, what is wanted for each adds up, and no most counts. Call it from time
    /// to time; one call at a time.
    public func keep(_ wishes: [WorkerWish]) async {
        let byKey = Dictionary(grouping: wishes.filter { $0.version.isolation != .call }, by: \.key)
        let terms = byKey.mapValues { wishes in
            PoolTerms(
                // Of workers that accounts share, one account's bound would be everybody's.
                seatsMax: wishes.first?.version.isolation == .shared ? nil : wishes.compactMap(\.max).min(),
                reserved: wishes.reduce(0) { $0 + $1.reserved },
                warm: wishes.reduce(0) { $0 + $1.warm }
            )
        }
        hand(pool.set(terms))
        for (key, count) in pool.missingWarm where !failedStarts.isRecent(key) {
            guard let version = byKey[key]?.first?.version else { continue }
            for _ in 0..<count {
                guard let lease = pool.seatAhead(key) else { break }
                if case .seat(let evicted?) = lease { end(evicted) }
                do {
                    guard try await onThread({ self.startAhead(key, version) }) else {
                        failedStarts.note(key)
                        break
                    }
                } catch {
                    // The daemon is stopping.
                    return hand(pool.vacate(key))
                }
            }
        }
    }

    /// Starts a worker that no call waits for, and puts it to sleep; whether that went well.
    private func startAhead(_ key: PoolKey, _ version: AlgorithmVersion) -> Bool {
        do throws(StartFailure) {
            let order = StartOrder(
                key: key,
                version: version.workerVersion,
                deadline: Deadline(after: limits.loadMax),
                onTimeout: .loadTimeout(limits),
                logBytesMax: limits.logBytesMax
            )
            let worker = try templates.worker(order)
            guard worker.fallAsleep() else {
                worker.retire()
                hand(pool.vacate(key))
                return false
            }
            hand(pool.giveBack(worker, nil))
            return true
        } catch {
            hand(pool.vacate(key))
            let why: String
            switch error {
            case .platform(let cause): why = "\(cause)"
            case .author(let failure, _, _): why = failure.message
            }
            logger.warning(
                "worker not kept warm",
                metadata: ["algorithm": "\(version.algorithm)", "account": "\(key.account)", "error": "\(why)"]
            )
            return false
        }
    }
}

/// Keys whose worker could not be started ahead of late: it is not tried again at once.
final class FailedStarts: Sendable {
    private static let restNanoseconds: UInt64 = 60_000_000_000
    private let last = Mutex<[PoolKey: UInt64]>([:])

    func isRecent(_ key: PoolKey) -> Bool {
        let now = Deadline.now
        return last.withLock { last in
            last = last.filter { now - $0.value < Self.restNanoseconds }
            return last[key] != nil
        }
    }

    func note(_ key: PoolKey) { last.withLock { $0[key] = Deadline.now } }
}
