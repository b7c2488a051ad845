public import Catalog
internal import Logging
public import NIOCore
internal import Sandbox

/// Turns an uploaded archive into a version's directory, in boxes of its own.
///
/// The archive is taken apart in a box without a network; packages are installed in a second box, which has one and
/// runs nothing that an author wrote. Both tell the daemon names and bytes; only the daemon writes, into a directory
/// that is new.
public struct Builder: Sendable {
    private let invoker: Invoker
    private let store: VersionStore

    /// Why a build did not come to an end.
    public enum Failure: Error, Sendable {
        /// The upload is wrong; the texts are for its author.
        case rejected(type: String, message: String)
        /// So many builds wait that no other is let in; nothing was built.
        case busy(waiting: Int)
        /// Something of ours failed.
        case fault(String)
    }

    /// Builds with the boxes of an invoker into a store.
    public init(invoker: Invoker, store: VersionStore) {
        self.invoker = invoker
        self.store = store
    }

    /// Builds a version; on failure its directory, if it was made, is left to be removed.
    public func build(_ version: AlgorithmVersion, archive: ByteBuffer) async throws(Failure) {
        let result: Result<Void, Failure>
        do {
            let finished = try await invoker.builds.run {
                Result { () throws(Failure) in try run(version, archive) }
            }
            guard let finished else { throw Failure.busy(waiting: invoker.limits.buildsWaitingMax) }
            result = finished
        } catch let error as Failure {
            throw error
        } catch { throw .fault("the daemon is stopping") }
        try result.get()
    }

    private func run(_ version: AlgorithmVersion, _ archive: ByteBuffer) throws(Failure) {
        let limits = invoker.limits
        do {
            var writer = try store.begin(version.storeKey)
            try step(Self.unpack(version.name, archive, limits), into: &writer)
            let requirements = try store.read(
                version.storeKey,
                "code/requirements.txt",
                bytesMax: Self.requirementsBytesMax
            )
            guard let requirements, Self.namesPackages(requirements) else { return }
            try step(Self.install(requirements, limits), into: &writer)
            makeEnvironment(version.storeKey, limits)
        } catch let error as StoreError {
            throw .rejected(type: "ArchiveError", message: "\(error)")
        } catch let error as Failure {
            throw error
        } catch { throw .fault("\(error)") }
    }

    /// Makes what a version's packages need to be loaded in advance; a version without it starts more slowly, that is all.
    private func makeEnvironment(_ key: String, _ limits: Limits) {
        do {
            let environment = try invoker.environments.make(for: key) { requirements, writer in
                try step(Self.install(requirements, limits), into: &writer)
            }
            environment.map(invoker.nursery.prepare)
        } catch { invoker.logger.warning("no packages are preloaded", metadata: ["error": "\(error)"]) }
    }

    private static let requirementsBytesMax = 1 << 20

    /// Whether there is any line that is not empty and not a comment.
    private static func namesPackages(_ requirements: ByteBuffer) -> Bool {
        requirements.readableBytesView.split(separator: UInt8(ascii: "\n")).contains { line in
            guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { return false }
            return first != UInt8(ascii: "#")
        }
    }

    fileprivate struct Step {
        var kind: Profile.Kind
        var request: FrameHeader.Request
        var name: String?
        var payload: ByteBuffer
        /// Where its files may lie: a folder of its own, and `lock`, which says what was built with what.
        var folders: [String]
        var boxLimits: BoxLimits
        var deadline: Deadline
    }

    private static func unpack(_ name: String, _ archive: ByteBuffer, _ limits: Limits) -> Step {
        Step(
            kind: .unpack,
            request: .archive,
            name: name,
            payload: archive,
            folders: ["code", "lock"],
            boxLimits: BoxLimits(memoryBytes: 1_280 << 20, cpuMillis: 1_000, pids: 16, tmpBytes: 64 << 20),
            deadline: Deadline(after: limits.unpackMax)
        )
    }

    private static func install(_ requirements: ByteBuffer, _ limits: Limits) -> Step {
        Step(
            kind: .install,
            request: .requirements,
            payload: requirements,
            folders: ["deps", "lock"],
            boxLimits: BoxLimits(memoryBytes: 6 << 30, cpuMillis: 2_000, pids: 64, tmpBytes: 5 << 30),
            deadline: Deadline(after: limits.installMax)
        )
    }

    /// Runs one box to its end and writes what it says.
    private func step(_ step: Step, into writer: inout VersionWriter) throws {
        let box = try invoker.spawner.spawn(step.kind, limits: step.boxLimits)
        var conversation = Conversation(
            step.request,
            after: step.name,
            payload: step.payload,
            logBytesMax: 64 << 10,
            deadline: step.deadline,
            limits: Self.frameLimit
        )
        do throws(Failure) {
            try follow(&conversation, box, step, into: &writer)
        } catch {
            box.kill()
            conversation.drainLogs(box)
            let death = try? box.destroy()
            throw Self.explain(error, death, step, conversation.log.text)
        }
        _ = try box.destroy()
        do { try writer.finish() } catch { throw Failure.fault("\(error)") }
    }

    @Sendable private static func frameLimit(_ reply: FrameHeader.Reply) -> Int? {
        switch reply {
        case .done: 0
        case .error: Exchange.errorBytesMax
        case .file: 8 + VersionWriter.pathBytesMax
        case .data: 1 << 20
        case .ready, .result, .loadError, .childEnded: nil
        }
    }

    private func follow(
        _ conversation: inout Conversation,
        _ box: borrowing Box,
        _ step: Step,
        into writer: inout VersionWriter
    ) throws(Failure) {
        while true {
            do {
                switch conversation.next(box) {
                case .frame(.done, _, _): return
                case .frame(.file, let flags, let payload):
                    try writer.begin(payload, isExecutable: flags & 1 == 1, in: step.folders)
                case .frame(.data, _, let payload): try writer.write(payload)
                case .frame(_, _, let payload):
                    let error = ReportedError(payload) ?? ReportedError(type: "ArchiveError", message: "unreadable")
                    throw Failure.rejected(type: error.type, message: error.message)
                case .deadline: throw Failure.rejected(type: "TimeoutError", message: "the build took too long")
                case .outOfMemory: throw Failure.rejected(type: "OutOfMemoryError", message: step.outOfMemoryMessage)
                case .ended: throw Failure.fault("ended")
                case .violation(let detail): throw Failure.fault(detail)
                case .tooLarge(let bytes, let limit): throw Failure.fault("a frame of \(bytes) bytes, at most \(limit)")
                }
            } catch let error as Failure {
                throw error
            } catch { throw .rejected(type: "ArchiveError", message: "\(error)") }
        }
    }

    private static func explain(_ failure: Failure, _ death: Death?, _ step: Step, _ log: String) -> Failure {
        guard case .fault(let detail) = failure else { return failure }
        if let death, death.oomKills > 0 {
            return .rejected(type: "OutOfMemoryError", message: step.outOfMemoryMessage)
        }
        return .fault(
            "build box \(step.kind): \(detail) (\(death.map { "\($0.cause)" } ?? "unknown end")) \(log.suffix(500))"
        )
    }
}

extension Builder.Step {
    fileprivate var outOfMemoryMessage: String { "the build needs more than \(boxLimits.memoryBytes) bytes of memory" }
}
