public import Billing
public import Catalog
public import NIOCore

/// One call as the edge hands it over: who, what, with which bytes.
public struct CallRequest: Sendable {
    /// The call's name everywhere: header, metadata, usage record.
    public var invocation: InvocationID
    /// Who calls what.
    public let parties: CallParties
    /// How the body is labelled.
    public var kind: ContentKind
    /// The body, passed on as it is.
    public var input: ByteBuffer
    /// The timeout the caller asked for; nil for the version's own.
    public var timeoutSeconds: Int?
    /// The claim of its idempotency key, which keeps its answer; nil without a key.
    public var claim: KeyClaim?

    /// The account that pays, and in whose name the code runs.
    public var account: String { parties.account }
    /// The API key used.
    public var keyID: String { parties.keyID }
    /// What is called.
    public var version: AlgorithmVersion { parties.version }

    /// Collects the parts.
    public init(
        invocation: InvocationID,
        parties: CallParties,
        kind: ContentKind,
        input: ByteBuffer,
        timeoutSeconds: Int?
    ) {
        self.invocation = invocation
        self.parties = parties
        self.kind = kind
        self.input = input
        self.timeoutSeconds = timeoutSeconds
    }

    /// The timeout that counts, and what its passing means: the caller's choice only when strictly below the version's.
    var timeout: (seconds: Int, outcome: Outcome) {
        let most = parties.version.timeoutSeconds
        guard let asked = timeoutSeconds, asked < most else { return (most, .timeoutVersion) }
        return (asked, .timeoutCaller)
    }
}

/// What a call comes to.
public struct CallReply: Sendable {
    /// The three kinds of end.
    public enum Answer: Sendable {
        /// The algorithm's result.
        case value(ContentKind, ByteBuffer)
        /// The algorithm, or a limit of its version, ended the call.
        case failure(Failure)
        /// The call was not let in.
        case refused(Refusal)
        /// The daemon is too busy just now; nothing was charged.
        case busy(Busy)
        /// Something of ours failed; the text is for the log, not for the caller.
        case fault(String)
        /// The charge may or may not be durable; the usage record tells after the restart.
        case outcomeUnknown
    }

    /// The end.
    public var answer: Answer
    /// The charge, once it is durable; nil for a call that was not let in.
    public var receipt: Receipt?
    /// How its worker came to be.
    public var start = StartKind.cold
    /// Waiting for admission and for a worker.
    public var queue: Duration = .zero
    /// Its place among its account's calls that waited for a worker when it came; 0 when it did not wait.
    public var queuePosition = 0
    /// Making a box for a new worker, not charged.
    public var starting: Duration = .zero
    /// Importing the code and `load()`, not charged.
    public var load: Duration = .zero
    /// CPU time of that.
    public var loadCPU: Duration = .zero
    /// Running, from the first byte of the request to the last of the answer.
    public var wall: Duration = .zero
    /// From the answer until everything in the box stood still.
    public var freeze: Duration = .zero
    /// From the end of the run until its charge was durable.
    public var commit: Duration = .zero
    /// CPU time of all processes, by the kernel's count.
    public var cpu: Duration = .zero
    /// What it printed.
    public var log = ""
    /// Holds the answer's place in memory; to be kept for as long as the answer is there.
    public var room: AnswerRoom?
}
