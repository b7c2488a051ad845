public import Billing
internal import FoundationEssentials
internal import NIOCore

/// An answer as an idempotency key keeps it: a line of JSON about it, and the result's bytes as they are.
struct KeptCall: Codable {
    var kind: UInt8?
    var outcome: Outcome?
    var type: String?
    var message: String?
    var stackTrace: String?
    var log: String
    var wallNanoseconds: Int64

    /// Nil for what is no answer of the algorithm: such a call may be tried again under its key.
    init?(_ reply: CallReply) {
        switch reply.answer {
        case .value(let kind, _): self.kind = kind.rawValue
        case .failure(let failure):
            outcome = failure.outcome
            (type, message, stackTrace) = (failure.type, failure.message, failure.stackTrace)
        case .refused, .busy, .fault, .outcomeUnknown: return nil
        }
        log = reply.log
        wallNanoseconds = reply.wall.nanosecondsClamped
    }

    private static let lineEnd = UInt8(ascii: "\n")

    /// What a key keeps of a reply, not copying more than that; nil when the key shall be as if it had not been used.
    static func answer(_ reply: CallReply, to claim: KeyClaim, _ outcome: Outcome, bytesMax: Int) -> KeptAnswer? {
        guard let kept = KeptCall(reply), let line = try? JSONEncoder().encode(kept) else { return nil }
        var bytes: [UInt8]? = [UInt8](line) + [lineEnd]
        if case .value(_, let value) = reply.answer {
            if value.readableBytes <= bytesMax { bytes? += value.readableBytesView } else { bytes = nil }
        }
        return KeptAnswer(claim: claim, status: outcome.rawValue, response: bytes)
    }

    /// The reply again; nil when the bytes are none.
    static func reply(from bytes: [UInt8]) -> CallReply? {
        guard
            let end = bytes.firstIndex(of: lineEnd),
            let kept = try? JSONDecoder().decode(KeptCall.self, from: Data(bytes[..<end]))
        else { return nil }
        var reply: CallReply
        if let kind = kept.kind.flatMap(ContentKind.init) {
            reply = CallReply(answer: .value(kind, ByteBuffer(bytes: bytes[(end + 1)...])))
        } else if let outcome = kept.outcome, let type = kept.type, let message = kept.message {
            let trace = kept.stackTrace ?? ""
            reply = CallReply(
                answer: .failure(Failure(outcome: outcome, type: type, message: message, stackTrace: trace))
            )
        } else {
            return nil
        }
        reply.log = kept.log
        reply.wall = .nanoseconds(kept.wallNanoseconds)
        return reply
    }
}

extension Invoker {
    /// Looks up a call's idempotency key, before anything is run.
    ///
    /// - Parameters:
    ///   - key: what the caller named the request.
    ///   - request: the digest of all that makes it what it is.
    ///   - account: whose key it is.
    /// - Returns: the right to run the call, or the answer that was given.
    public func claim(_ key: String, request: [UInt8], account: String) -> KeyLookup {
        do {
            switch try ledger.claim(key: key, request: request, account: account) {
            case .claimed(let claim): return .run(claim)
            case .kept(let kept): return again(kept, account: account)
            }
        } catch { return .refused(CallReply(answer: .refused(error))) }
    }

    private func again(_ kept: KeptReply, account: String) -> KeyLookup {
        guard var reply = KeptCall.reply(from: kept.response) else {
            return .answered(kept.invocation, .outcomeUnknown)
        }
        if let usage = try? ledger.usage(id: kept.invocation), let balance = try? ledger.balance(of: account) {
            reply.start = usage.warm ? .warm : .cold
            reply.queue = .microseconds(usage.queueMicroseconds)
            reply.load = .microseconds(usage.loadMicroseconds)
            reply.cpu = .microseconds(usage.cpuMicroseconds)
            reply.receipt = Receipt(usage, invocation: kept.invocation, remaining: balance.available)
        }
        return .answered(kept.invocation, reply)
    }
}

/// What an idempotency key leads to.
public enum KeyLookup: Sendable {
    /// Run the call with the claim.
    case run(KeyClaim)
    /// It was run as that invocation; this is its answer.
    case answered(InvocationID, CallReply)
    /// The key is taken, or was used for another request.
    case refused(CallReply)
}

extension CallReply {
    fileprivate static let outcomeUnknown = CallReply(answer: .outcomeUnknown)
}
