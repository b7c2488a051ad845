extension Refusal {
    static func allowance(scope: String, limit: Int64, used: Int64, nowMicroseconds: Int64) -> Refusal {
        let metric = QuotaMetric.unpaidCPUDay
        let reset = metric.window?.resetSeconds(at: nowMicroseconds) ?? 0
        let seconds = { (microseconds: Int64) in Microcredits(rawValue: microseconds).description }
        return Refusal(
            kind: .failureAllowance,
            metric: metric.rawValue,
            scope: scope,
            limit: limit / metric.scale,
            value: used / metric.scale,
            reset: reset,
            retryAfterSeconds: Int(reset - floorDivide(nowMicroseconds, 1_000_000)),
            message: "failure_allowance_exhausted: failed calls and loading of \(scope) have used \(seconds(used)) CPU "
                + "seconds today that nobody pays for, the most is \(seconds(limit)); it starts again at "
                + "\(iso8601(microseconds: reset * 1_000_000)). Mend what fails, or have \(metric.rawValue) raised."
        )
    }

    static func frozen(_ account: String, isClosed: Bool) -> Refusal {
        plain(
            isClosed ? .accountClosed : .accountFrozen,
            metric: "account",
            scope: "account:\(account)",
            message: isClosed
                ? "Account \(account) is closed."
                : "Account \(account) is frozen and makes no calls; ask an administrator to unfreeze it."
        )
    }

    static func key(_ kind: Kind, account: String, retryAfterSeconds: Int? = nil, _ message: String) -> Refusal {
        plain(
            kind,
            metric: "idempotency_key",
            scope: "account:\(account)",
            retryAfterSeconds: retryAfterSeconds,
            message: message
        )
    }

    static func plain(
        _ kind: Kind,
        metric: String,
        scope: String,
        retryAfterSeconds: Int? = nil,
        message: String
    ) -> Refusal {
        Refusal(
            kind: kind,
            metric: metric,
            scope: scope,
            limit: 0,
            value: 0,
            reset: nil,
            retryAfterSeconds: retryAfterSeconds,
            message: message
        )
    }
}
