internal import Billing
internal import Catalog
internal import Glibc
internal import NIOCore
internal import Sandbox

/// One admitted call on its way to a worker.
struct Job: Sendable {
    var request: CallRequest
    var key: PoolKey
    var deadline: Deadline
    var granted: Duration
    var ceilingBinds: Bool
    var queue: Duration
    var startMicroseconds = Job.unixMicroseconds()

    func exchange(_ limits: Limits, isAlone: Bool = false) -> ExchangeCall {
        let (granted, timeout, ceilingBinds) = (granted, request.timeout, ceilingBinds)
        return ExchangeCall(
            kind: request.kind,
            input: request.input,
            deadline: deadline,
            wallGranted: granted,
            isAlone: isAlone,
            onTimeout: { ceilingFirst in
                ceilingFirst && ceilingBinds
                    ? Verdict.ceiling(granted) : Verdict.timeout(seconds: timeout.seconds, cause: timeout.outcome)
            },
            outputBytesMax: limits.outputBytesMax,
            logBytesMax: limits.logBytesMax
        )
    }

    /// What it means when loading takes too long: the call's own timeout, or the limit for loading.
    func loadTimeout(_ limits: Limits) -> Failure {
        if deadline < Deadline(after: limits.loadMax) {
            return Verdict.timeout(seconds: request.timeout.seconds, cause: request.timeout.outcome)
        }
        return .loadTimeout(limits)
    }

    func attempt(_ failure: StartFailure) -> Attempt {
        var reply = CallReply(answer: .fault(""), queue: queue)
        switch failure {
        case .platform(let error): reply.answer = .fault("\(error)")
        case .author(let failure, let log, let cpu):
            reply.answer = .failure(failure)
            reply.log = log
            reply.loadCPU = cpu
        }
        return Attempt(reply, startMicroseconds: startMicroseconds)
    }

    /// What came of a call; `loaded` is the worker that was started for it, nil for one that slept.
    func attempt(_ result: ExchangeResult, loaded: Worker?) -> Attempt {
        var reply = CallReply(answer: .fault("the worker was gone before it was told anything"))
        switch result.answer {
        case .value(let kind, let value): reply.answer = .value(kind, value)
        case .failure(let failure): reply.answer = .failure(failure)
        case .lost:
            // A fresh worker that dies between "ready" and its first call is its author's, not the platform's.
            if let cause = result.lostTo {
                var failure = Verdict.death(cause, Evidence(), limits: request.parties.version.boxLimits)
                failure.message = "after loading: " + failure.message
                failure.outcome = .loadFailed
                reply.answer = .failure(failure)
            }
        }
        reply.start = loaded?.start ?? .warm
        reply.queue = queue
        reply.starting = loaded?.startTime ?? .zero
        reply.load = loaded?.loadTime ?? .zero
        reply.freeze = result.freeze
        reply.loadCPU = loaded?.loadCPU ?? .zero
        reply.wall = result.wall
        reply.cpu = result.cpu
        reply.log = result.log
        return Attempt(reply, startMicroseconds: startMicroseconds, memoryPeakBytes: result.memoryPeakBytes)
    }

    static func unixMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

/// A reply before it is paid for, with what only the usage record needs.
struct Attempt: Sendable {
    var reply: CallReply
    var startMicroseconds: Int64
    var memoryPeakBytes: UInt64

    init(_ reply: CallReply, startMicroseconds: Int64 = Job.unixMicroseconds(), memoryPeakBytes: UInt64 = 0) {
        self.reply = reply
        self.startMicroseconds = startMicroseconds
        self.memoryPeakBytes = memoryPeakBytes
    }

    var outcome: Outcome {
        switch reply.answer {
        case .value: .ok
        case .failure(let failure): failure.outcome
        case .refused, .busy, .fault, .outcomeUnknown: .platformFault
        }
    }

    var bytesOut: Int64 {
        if case .value(_, let value) = reply.answer { Int64(value.readableBytes) } else { 0 }
    }
}

extension CallRequest {
    func description(_ deadline: Deadline) -> CallDescription {
        CallDescription(
            invocation: invocation,
            scopes: parties.scopes,
            versionID: parties.version.id,
            version: parties.number,
            cpus: parties.version.cpus,
            wallLimit: .seconds(timeout.seconds),
            deadline: ContinuousClock.now.advanced(by: deadline.remaining),
            replayOf: claim?.replayOf
        )
    }

    func usage(_ attempt: Attempt) -> UsageRecord {
        UsageRecord(
            outcome: attempt.outcome,
            startMicroseconds: attempt.startMicroseconds,
            wall: attempt.reply.wall,
            cpu: attempt.reply.cpu,
            queue: attempt.reply.queue,
            load: attempt.reply.load,
            loadCPU: attempt.reply.loadCPU,
            warm: attempt.reply.start == .warm,
            memoryLimitBytes: parties.version.memoryBytes,
            memoryPeakBytes: Int64(clamping: attempt.memoryPeakBytes),
            bytesIn: Int64(input.readableBytes),
            bytesOut: attempt.bytesOut
        )
    }

    func noWorker(_ refusal: WorkerPool.Refusal) -> CallReply.Answer {
        switch refusal {
        case .deadline: .busy(Busy("no worker became free within \(timeout.seconds) seconds; try again later"))
        case .queueFull(let fullness): .busy(Busy(fullness, account: account, algorithm: "\(version.algorithm)"))
        }
    }

    func noRoom(_ refusal: AnswerBudget.Refusal) -> CallReply.Answer {
        switch refusal {
        case .deadline(let shortage): .busy(Busy(shortage, account: account, waitedSeconds: timeout.seconds))
        case .queueFull(let waiting): .busy(.queueFull(waiting, for: "room for their answers"))
        }
    }

    var workerVersion: WorkerVersion { version.workerVersion }
}

extension Failure {
    /// Loading took too long.
    static func loadTimeout(_ limits: Limits) -> Failure {
        Failure(
            outcome: .loadFailed,
            type: "LoadingError",
            message: "loading did not complete within \(limits.loadMax.components.seconds) seconds"
        )
    }
}

extension AlgorithmVersion {
    var workerVersion: WorkerVersion {
        WorkerVersion(name: name, storeKey: StoreKey.bytes(storeKey), limits: boxLimits, start: specification.start)
    }

    var boxLimits: BoxLimits { specification.boxLimits }
}

extension VersionSpecification {
    var boxLimits: BoxLimits {
        BoxLimits(
            memoryBytes: UInt64(memoryBytes),
            cpuMillis: UInt32(cpus) * 1_000,
            pids: UInt32(pidsMax),
            tmpBytes: UInt64(tmpBytes)
        )
    }
}
