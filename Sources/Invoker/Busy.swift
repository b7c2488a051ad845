internal import NIOCore

/// Why the daemon was too busy for a call, with the bound that was reached where there is one.
public struct Busy: Sendable, Equatable {
    /// A bound and what there was of it, as refusals name them.
    public struct Figures: Sendable, Equatable {
        /// What is bounded, unit included.
        public var metric: String
        /// Whose bound it is: `daemon` or `account:NAME`.
        public var scope: String
        /// The bound.
        public var limit: Int64
        /// What of it was taken.
        public var value: Int64
    }

    /// What happened, with the remedy.
    public var message: String
    /// The bound that was reached; nil when only time passed.
    public var figures: Figures?
    /// When to try again.
    public var retryAfterSeconds = 1

    init(_ message: String, _ figures: Figures? = nil) {
        self.message = message
        self.figures = figures
    }

    /// No room for an answer came free in time.
    init(_ shortage: AnswerRoomState.Shortage, account: String, waitedSeconds: Int) {
        let remedy =
            shortage.isOwn
            ? "read the answers of your other calls, or make fewer calls at once" : "try again later"
        self.init(
            "no room for the answer became free within \(waitedSeconds) seconds: answers, those of running calls at their largest, take \(shortage.takenBytes) of \(shortage.limitBytes) bytes; \(remedy)",
            Figures(
                metric: "answer_bytes",
                scope: shortage.isOwn ? "account:\(account)" : "daemon",
                limit: Int64(shortage.limitBytes),
                value: Int64(shortage.takenBytes)
            )
        )
    }

    /// There is no place in a line for a worker.
    init(_ fullness: PoolFullness, account: String, algorithm: String) {
        let (seconds, limit, value) = (fullness.retryAfterSeconds, fullness.limit, fullness.value)
        let (words, scope) =
            switch fullness.bound {
            case .all: ("\(value) calls already wait for a worker, which is the most", "daemon")
            case .account:
                ("\(value) calls of \(account) already wait for a worker, which is the most", "account:\(account)")
            case .version:
                (
                    "\(value) calls of \(algorithm) already wait for a worker, which is the most",
                    "algorithm:\(algorithm)"
                )
            case .forbidden:
                (
                    "no worker may serve \(account)'s calls of \(algorithm): the quota workers_max is 0, and an administrator can change it",
                    "account:\(account)+algorithm:\(algorithm)"
                )
            case .time:
                (
                    "a worker would be free in about \(value) seconds, and the call has \(limit) left",
                    "algorithm:\(algorithm)"
                )
            }
        let advice =
            fullness.bound == .forbidden ? "" : "; try again in \(seconds) \(seconds == 1 ? "second" : "seconds")"
        self.init(
            words + advice,
            Figures(
                metric: fullness.bound.metric,
                scope: scope,
                limit: Int64(limit),
                value: Int64(value)
            )
        )
        retryAfterSeconds = seconds
    }

    static func queueFull(_ waiting: Int, for what: String) -> Busy {
        Busy(
            "\(waiting) calls already wait for \(what), which is the most; try again later",
            Figures(metric: "waiting_calls", scope: "daemon", limit: Int64(waiting), value: Int64(waiting))
        )
    }
}

extension PoolFullness.Bound {
    fileprivate var metric: String {
        switch self {
        case .time: "wait_seconds"
        case .forbidden: "workers_max"
        case .all, .version, .account: "waiting_calls"
        }
    }
}

extension CallReply {
    /// Whether to make an answer of it takes long enough to be done where nobody else waits.
    public var isLong: Bool { bytes > 1 << 17 }

    /// Bytes of memory that the answer takes, and at least what a buffer of a worker's pipe does.
    var bytes: Int {
        let own =
            switch answer {
            case .value(_, let value): value.readableBytes
            case .failure(let failure): failure.message.utf8.count + failure.stackTrace.utf8.count
            case .refused, .busy, .fault, .outcomeUnknown: 0
            }
        return max(own + log.utf8.count, Conversation.readBytes)
    }
}
