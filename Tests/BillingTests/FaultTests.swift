import Glibc
import Testing

@testable import Billing

@Suite(.timeLimit(.minutes(2))) struct FaultTests {
    /// Charges until the ledger fails; the error, and the invocations whose receipt was given.
    ///
    /// When moving pages from the log into the file is what failed, everybody has been answered, and whoever comes next is
    /// refused, or told that nothing was recorded.
    private func chargeUntilFailure(_ test: TestLedger) async throws -> (LedgerError?, Set<String>) {
        var acknowledged: Set<String> = []
        for _ in 0..<200_000 {
            do {
                acknowledged.insert(try await test.run(call()).invocation.description)
            } catch let error as LedgerError where error.kind == .closed {
                break
            } catch let error as LedgerError {
                return (error, acknowledged)
            } catch let refusal as Refusal where refusal.kind == .draining {
                break
            }
        }
        return (nil, acknowledged)
    }

    private func checkPoisoned(_ test: TestLedger, _ error: LedgerError?) async throws {
        #expect(error == nil || error?.kind == .outcomeUnknown)
        try await until { !test.poisonings.isEmpty }
        #expect(test.poisonings.map(\.kind) == [.outcomeUnknown])
        for error in [error, test.poisonings.first].compactMap(\.self) {
            #expect(error.cause?.contains("full") == true, "\(error)")
        }
        let refusal = await #expect(throws: Refusal.self) { _ = try await test.run(call()) }
        #expect(refusal?.kind == .draining)
        let later = await #expect(throws: LedgerError.self) {
            try await test.ledger.topUp(account: "alice", amount: .init(rawValue: 1), ref: "late", actor: "root")
        }
        #expect(later?.kind == .closed)
        #expect(test.ledger.load.admitted == 0)
        await test.ledger.drain()
        test.ledger.close()
    }

    @Test func `a database that is full stops the writer for good, and what was acknowledged is there`() async throws {
        var limits = LedgerLimits()
        limits.filePagesMax = 60
        let test = try TestLedger(limits: limits)
        try await test.fund("alice", credits: "100000")
        let (error, acknowledged) = try await chargeUntilFailure(test)
        try await checkPoisoned(test, error)
        let again = try TestLedger(in: test.folder)
        for id in acknowledged {
            #expect(try InvocationID(id).flatMap { try again.ledger.usage(id: $0) } != nil, "\(id)")
        }
        _ = try await again.run(call())
        let report = try again.audit()
        #expect(report.ok, "\(report.violations)")
    }

    @Test(.enabled(if: geteuid() == 0, "mounts a small file system"))
    func `a disk that is full stops the writer for good, and what was acknowledged is there`() async throws {
        let folder = try TemporaryFolder()
        try folder.mountMemory(kibibytes: 2048)
        defer { folder.unmount() }
        let test = try TestLedger(in: folder)
        try await test.fund("alice", credits: "100000")
        let (error, acknowledged) = try await chargeUntilFailure(test)
        try await checkPoisoned(test, error)
        try folder.resizeMemory(kibibytes: 16_384)
        let again = try TestLedger(in: folder)
        for id in acknowledged {
            #expect(try InvocationID(id).flatMap { try again.ledger.usage(id: $0) } != nil, "\(id)")
        }
        _ = try await again.run(call())
        let report = try again.audit()
        #expect(report.ok, "\(report.violations)")
        again.ledger.close()
    }

    @Test(arguments: [5, 20, 40, 80, 120])
    func `after kill -9 every acknowledged charge is there, once, and the books are right`(milliseconds: Int)
        async throws
    {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = folder.path as String, milliseconds = milliseconds as Int] in
            try await chargeAndDie(in: path, afterMilliseconds: milliseconds)
        }
        let acknowledged = readLines(folder.file("acknowledged"))
        let test = try TestLedger(in: folder)
        for id in acknowledged {
            #expect(try InvocationID(id).flatMap { try test.ledger.usage(id: $0) } != nil, "\(id)")
        }
        #expect(Set(acknowledged).count == acknowledged.count)
        let report = try test.audit()
        #expect(report.ok, "\(report.violations)")
        try await test.ledger.openAccount("alice")
        try await test.ledger.topUp(account: "alice", amount: .init(rawValue: 5_000_000), ref: "after", actor: "root")
        _ = try await test.run(call())
        let after = try test.audit()
        #expect(after.ok, "\(after.violations)")
    }
}

/// The child of the test above: eight tasks charge and note what was acknowledged, until the process kills itself.
private func chargeAndDie(in path: String, afterMilliseconds milliseconds: Int) async throws {
    let ledger = try Ledger(path: "\(path)/ledger.db", onPoison: { _ in })
    try await ledger.openAccount("alice")
    try await ledger.topUp(account: "alice", amount: .init(rawValue: 1 << 50), ref: "first", actor: "test")
    try await ledger.setRoyalty(versionID: 1, algorithm: "bob/hello", author: "bob", perCall: .init(rawValue: 333))
    let notes = open("\(path)/acknowledged", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            try await Task.sleep(for: .milliseconds(milliseconds))
            kill(getpid(), SIGKILL)
        }
        for _ in 0..<8 {
            group.addTask {
                while true {
                    let receipt = try await ledger.settle(
                        ledger.admit(call()),
                        usage(wall: .milliseconds(2))
                    )
                    let line = Array("\(receipt.invocation)\n".utf8)
                    _ = write(notes, line, line.count)
                }
            }
        }
        try await group.waitForAll()
    }
}
