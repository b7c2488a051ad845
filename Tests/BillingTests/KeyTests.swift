import Synchronization
import Testing

@testable import Billing

/// Idempotency keys: one call, one charge, one answer.
@Suite struct KeyTests {
    private let request = [UInt8](repeating: 7, count: 32)

    private func claim(_ test: TestLedger, _ key: String = "k", request: [UInt8]? = nil) throws -> KeyClaim {
        guard
            case .claimed(let claim) = try test.ledger.claim(
                key: key,
                request: request ?? self.request,
                account: "alice"
            )
        else { throw Unexpected() }
        return claim
    }

    private struct Unexpected: Error {}

    /// Runs a call under a key and keeps its answer.
    private func run(_ test: TestLedger, _ claim: KeyClaim, answer: [UInt8]) async throws -> Receipt {
        let description = CallDescription(repeating: claim.replayOf)
        let hold = try await test.ledger.admit(description)
        let kept = KeptAnswer(claim: claim, status: 200, response: answer)
        return try await test.ledger.settle(hold, usage(wall: .milliseconds(5)), keeping: kept)
    }

    @Test func `a key is charged once and answers the same for ever after, also after a restart`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "10")
        let receipt = try await run(test, try claim(test), answer: [1, 2, 3])
        let kept = KeptReply(invocation: receipt.invocation, status: 200, response: [1, 2, 3])
        for _ in 0..<2 {
            guard case .kept(let reply) = try test.ledger.claim(key: "k", request: request, account: "alice") else {
                throw Unexpected()
            }
            #expect(reply == kept)
        }
        test.ledger.close()
        let again = try TestLedger(in: test.folder, prices: try flat(1))
        guard case .kept(let reply) = try again.ledger.claim(key: "k", request: request, account: "alice") else {
            throw Unexpected()
        }
        #expect(reply == kept)
        #expect(try again.ledger.balance(of: "alice").spent == (try credits("1")))
        let report = try again.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test func `while a call runs its key is taken, and free again when the call came to nothing`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "10")
        var first: KeyClaim? = try claim(test)
        #expect(first?.key == "k")
        #expect(refusal { try test.ledger.claim(key: "k", request: request, account: "alice") } == .keyInFlight)
        #expect(refusal { try test.ledger.claim(key: "k", request: [1], account: "alice") } == .keyMismatch)
        first = nil
        _ = try claim(test)
    }

    @Test func `the same key for another request is refused`() async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "10")
        _ = try await run(test, try claim(test), answer: [1])
        #expect(refusal { try test.ledger.claim(key: "k", request: [1], account: "alice") } == .keyMismatch)
        // Another account's key of that name is another key.
        try await test.fund("carol", credits: "1")
        guard case .claimed = try test.ledger.claim(key: "k", request: [1], account: "carol") else {
            throw Unexpected()
        }
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func `an answer over the bound is not kept, and the call runs once more for nothing`(over: Int, isKept: Bool)
        async throws
    {
        var limits = LedgerLimits()
        limits.keptAnswerBytesMax = 100
        let test = try TestLedger(prices: try flat(1), limits: limits)
        try await test.fund("alice", credits: "10")
        let answer = [UInt8](repeating: 1, count: 100 + over)
        let receipt = try await run(test, try claim(test), answer: answer)
        if isKept {
            guard case .kept(let reply) = try test.ledger.claim(key: "k", request: request, account: "alice") else {
                throw Unexpected()
            }
            #expect(reply.response == answer)
            return
        }
        let second = try claim(test)
        #expect(second.replayOf == receipt.invocation)
        let repeated = try await run(test, second, answer: answer)
        #expect(repeated.charge == .zero)
        #expect(try test.ledger.balance(of: "alice").spent == (try credits("1")))
        #expect(refusal { try test.ledger.claim(key: "k", request: request, account: "alice") } == .keyAnswerGone)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test(arguments: [(-1, true), (0, false)])
    func `a key is forgotten after its time`(offset: Int64, isKnown: Bool) async throws {
        let test = try TestLedger(prices: try flat(1))
        try await test.fund("alice", credits: "10")
        _ = try await run(test, try claim(test), answer: [1])
        let lifetime = LedgerLimits().keyLifetime.wholeMicroseconds
        let recorded = try test.totals().isEmpty ? 0 : test.ledger.state.withLock { $0.ledgerMicroseconds }
        test.unix.set(recorded + lifetime + offset)
        let state = try test.ledger.claim(key: "k", request: request, account: "alice")
        switch state {
        case .kept: #expect(isKnown)
        case .claimed(let claim):
            #expect(!isKnown)
            _ = try await run(test, claim, answer: [2])
            #expect(try test.ledger.balance(of: "alice").spent == (try credits("2")))
        }
    }

    private func refusal(_ body: () throws -> KeyState) -> Refusal.Kind? {
        do { _ = try body() } catch let refusal as Refusal { return refusal.kind } catch { return nil }
        return nil
    }
}

extension CallDescription {
    fileprivate init(repeating call: InvocationID?) {
        self.init(
            invocation: InvocationID(),
            account: "alice",
            keyID: "k1",
            algorithm: "bob/hello",
            versionID: 1,
            version: "1.0.1",
            cpus: 1,
            wallLimit: .seconds(1),
            deadline: .now + .seconds(60),
            replayOf: call
        )
    }
}
