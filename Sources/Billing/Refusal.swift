/// Why a call was not admitted; nothing ran and nothing is charged.
public struct Refusal: Error, Sendable, Equatable {
    /// The rule that refused.
    public enum Kind: String, Sendable {
        /// Too many calls per second.
        case rate
        /// Too many calls at once, for too long.
        case concurrency
        /// A spend cap.
        case spendCap
        /// The prepaid credit.
        case credit
        /// A CPU quota.
        case cpuQuota
        /// Failures and loading have used up the CPU time that nobody pays for.
        case failureAllowance
        /// The account takes no calls.
        case accountFrozen
        /// The account is closed for ever.
        case accountClosed
        /// Another call with the same idempotency key runs.
        case keyInFlight
        /// The idempotency key was used for another request.
        case keyMismatch
        /// The key's answer was too large to keep, and the call has been run again once.
        case keyAnswerGone
        /// Too many calls waiting, or too much to record.
        case queueFull
        /// No such account.
        case accountUnknown
        /// The daemon is stopping.
        case draining
        /// An audit has found that the ledger is not what it must be.
        case suspended
    }

    /// The rule that refused.
    public let kind: Kind
    /// The metric, for example `"spend_day_microcredits"`; `"credit"` for the balance.
    public let metric: String
    /// What the limit applies to, for example `"account:alice"`.
    public let scope: String
    /// The limit, in the metric's unit; microcredits for `"credit"`.
    public let limit: Int64
    /// What is used or held of it already, in the same unit.
    public let value: Int64
    /// When the count starts again, in seconds of Unix time.
    public let reset: Int64?
    /// When another attempt may succeed; nil when waiting does not help.
    public let retryAfterSeconds: Int?
    /// One or two sentences for the caller: limit, value, scope, reset and remedy.
    public let message: String
}

extension Refusal: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

extension Refusal {
    static func rate(scope: String, limiter: RateLimiter, now: Int64, wait: Int64?) -> Refusal {
        let seconds = wait.map { Int(($0 + 999_999_999) / 1_000_000_000) }
        let remedy = seconds.map { "retry after \($0) s, or have the limit raised" } ?? "have the limit raised"
        return Refusal(
            kind: .rate,
            metric: QuotaMetric.requestsPerSecond.rawValue,
            scope: scope,
            limit: limiter.limit,
            value: limiter.used(at: now),
            reset: nil,
            retryAfterSeconds: seconds,
            message: "\(scope) is limited to \(limiter.limit) calls per second; \(remedy)."
        )
    }

    static func concurrency(scope: String, limit: Int64, running: Int64) -> Refusal {
        Refusal(
            kind: .concurrency,
            metric: QuotaMetric.concurrentCalls.rawValue,
            scope: scope,
            limit: limit,
            value: running,
            reset: nil,
            retryAfterSeconds: limit > 0 ? 1 : nil,
            message: "\(scope) may run \(limit) calls at once and runs \(running); "
                + "retry when one has ended, or have concurrent_calls raised."
        )
    }

    static func queueFull(scope: String, limit: Int, value: Int, what: String) -> Refusal {
        Refusal(
            kind: .queueFull,
            metric: what,
            scope: scope,
            limit: Int64(limit),
            value: Int64(value),
            reset: nil,
            retryAfterSeconds: 1,
            message: "\(scope) has \(value) \(what), the most is \(limit); retry after 1 s."
        )
    }

    static func accountUnknown(_ account: String) -> Refusal {
        Refusal(
            kind: .accountUnknown,
            metric: "credit",
            scope: "account:\(account)",
            limit: 0,
            value: 0,
            reset: nil,
            retryAfterSeconds: nil,
            message: "There is no account \(account); create the user and top up its account."
        )
    }

    static func draining() -> Refusal {
        Refusal(
            kind: .draining,
            metric: "service",
            scope: "daemon",
            limit: 0,
            value: 0,
            reset: nil,
            retryAfterSeconds: 5,
            message: "The daemon is stopping and takes no new calls; retry after 5 s."
        )
    }

    /// Why is for administrators: it names accounts and amounts.
    static func suspended() -> Refusal {
        Refusal(
            kind: .suspended,
            metric: "ledger_audit_failed",
            scope: "daemon",
            limit: 0,
            value: 0,
            reset: nil,
            retryAfterSeconds: 60,
            message: "ledger_audit_failed: an audit found the ledger wrong; no calls are taken until an administrator "
                + "has set it right."
        )
    }

    /// A budget that does not hold what the call may cost.
    static func budget(_ budget: Budget, needed: Int64, account: String, nowMicroseconds: Int64) -> Refusal {
        let waits = budget.available >= needed || budget.held > 0 && budget.limit - budget.captured >= needed
        let reset = budget.window?.resetSeconds(at: nowMicroseconds)
        let untilReset = reset.map { Int($0 - floorDivide(nowMicroseconds, 1_000_000)) }
        return Refusal(
            kind: budget.refusalKind,
            metric: budget.metric?.rawValue ?? "credit",
            scope: budget.scope,
            limit: budget.limit / budget.scale,
            value: (budget.captured + budget.held + budget.scale - 1) / budget.scale,
            reset: reset,
            retryAfterSeconds: waits ? 1 : untilReset,
            message: budget.message(needed: needed, account: account, reset: reset)
        )
    }
}

extension Budget {
    fileprivate var refusalKind: Refusal.Kind {
        switch metric {
        case nil: .credit
        case .cpuSecondsMonth: .cpuQuota
        default: .spendCap
        }
    }

    fileprivate func message(needed: Int64, account: String, reset: Int64?) -> String {
        guard let metric else {
            return "\(scope) has \(credits(available)) credits available (\(credits(held)) held for running calls); "
                + "this call needs \(credits(needed)). Top up account \(account)."
        }
        let figure: (Int64) -> String = isMoney ? { "\(credits($0)) credits" } : { "\(credits($0)) CPU seconds" }
        let until = reset.map { "; it starts again at \(iso8601(microseconds: $0 * 1_000_000))" } ?? ""
        return "\(metric.rawValue) of \(scope) is limited to \(figure(limit)): \(figure(captured)) used, "
            + "\(figure(held)) held for running calls, \(figure(needed)) needed for this call\(until). "
            + "Have the limit raised, or retry then."
    }

    /// Millionths as a decimal number: microcredits as credits, microseconds as seconds.
    private func credits(_ millionths: Int64) -> String { Microcredits(rawValue: millionths).description }
}
