import Testing

@testable import Catalog

@Suite struct SpecificationTests {
    static let mebibyte: Int64 = 1 << 20

    @Test(
        arguments: [
            (-1, false), (0, true), (1, true), ((1 << 53) - 2, true), ((1 << 53) - 1, true), (1 << 53, false),
        ] as [(Int64, Bool)]
    )
    func `royalty is 0 … 2^53 − 1`(value: Int64, isAccepted: Bool) {
        check(isAccepted, field: "royalty") { $0.royaltyMicrocredits = value }
    }

    @Test(arguments: [
        (16 * mebibyte - 1, false), (16 * mebibyte, true), (16 * mebibyte + 1, true),
        (16_384 * mebibyte - 1, true), (16_384 * mebibyte, true), (16_384 * mebibyte + 1, false),
    ])
    func `memory is 16 … 16384 MiB`(value: Int64, isAccepted: Bool) {
        check(isAccepted, field: "memory") { $0.memoryBytes = value }
    }

    @Test(arguments: [(0, false), (1, true), (2, true), (15, true), (16, true), (17, false)])
    func `cpus are 1 … 16`(value: Int, isAccepted: Bool) {
        check(isAccepted, field: "cpus") { $0.cpus = value }
    }

    @Test(arguments: [(0, false), (1, true), (2, true), (2_999, true), (3_000, true), (3_001, false)])
    func `timeout is 1 … 3000 s`(value: Int, isAccepted: Bool) {
        check(isAccepted, field: "timeout") { $0.timeoutSeconds = value }
    }

    @Test(arguments: [(0, false), (1, true), (4_096, true), (4_097, false)])
    func `pids are 1 … 4096`(value: Int, isAccepted: Bool) {
        check(isAccepted, field: "pids") { $0.pidsMax = value }
    }

    @Test(arguments: [
        (mebibyte - 1, false), (mebibyte, true), (16_384 * mebibyte, true), (16_384 * mebibyte + 1, false),
    ])
    func `tmp is 1 … 16384 MiB`(value: Int64, isAccepted: Bool) {
        check(isAccepted, field: "tmp") { $0.tmpBytes = value }
    }

    @Test(arguments: [(39, "a", false), (40, "a", true), (41, "a", false), (40, "A", false), (40, "g", false)])
    func `a hash has 40 hexadecimal digits`(count: Int, digit: String, isAccepted: Bool) {
        check(isAccepted, field: "hash") { $0.hash = String(repeating: digit, count: count) }
    }

    @Test(arguments: [(63, "0", false), (64, "0", true), (65, "0", false), (64, ".", false)])
    func `a store key has 64 hexadecimal digits`(count: Int, digit: String, isAccepted: Bool) {
        check(isAccepted, field: "store_key") { $0.storeKey = String(repeating: digit, count: count) }
    }

    @Test func `python3 is the only runtime`() {
        check(false, field: "runtime") { $0.runtime = "node" }
    }

    @Test(arguments: Isolation.allCases, StartMode.allCases)
    func `calls isolated from each other get no forks of a loaded process`(isolation: Isolation, start: StartMode) {
        check(isolation != .call || start != .template, field: "start") {
            $0.isolation = isolation
            $0.start = start
        }
    }

    @Test func `a refused start says what it must be, and why`() {
        var wanted = specification()
        wanted.isolation = .call
        wanted.start = .template
        let error = refusal { try wanted.validate() }
        #expect(error?.field == "start" && error?.value == "template")
        #expect(
            error?.message == "start 'template' is refused: it must be fork or exec with isolation call: "
                + "no two of its calls may share a process's memory"
        )
    }

    @Test func `defaults are as documented`() throws {
        let plain = VersionSpecification(hash: specification().hash, storeKey: specification().storeKey)
        try plain.validate()
        #expect(plain.timeoutSeconds == 300 && plain.memoryBytes == 512 << 20 && plain.cpus == 1)
        #expect(plain.royaltyMicrocredits == 0 && !plain.isPublic && plain.isolation == .caller)
        #expect(plain.start == .fork)
    }

    private func check(_ isAccepted: Bool, field: String, _ change: (inout VersionSpecification) -> Void) {
        var changed = specification()
        change(&changed)
        let error = refusal { try changed.validate() }
        #expect((error == nil) == isAccepted, "\(String(describing: error))")
        if let error { #expect(error.reason == .invalid && error.field == field && error.limit != nil, "\(error)") }
    }
}
