import Testing

@testable import Sandbox

@Suite struct ProofTests {
    private static let good = """
        Name:\tpython3
        Uid:\t1000017\t1000017\t1000017\t1000017
        Gid:\t1000017\t1000017\t1000017\t1000017
        CapInh:\t0000000000000000
        CapPrm:\t0000000000000000
        CapEff:\t0000000000000000
        CapBnd:\t0000000000000000
        CapAmb:\t0000000000000000
        NoNewPrivs:\t1
        Seccomp:\t2
        Seccomp_filters:\t2
        """

    @Test func `a box with all layers has no fault`() {
        #expect(Proof(status: Self.good, uidBase: 1_000_000, gidBase: 1_000_000, filters: 2).faults.isEmpty)
    }

    @Test(arguments: [
        ("CapBnd:\t0000000000000000", "CapBnd:\t000001ffffffffff"),
        ("CapEff:\t0000000000000000", "CapEff:\t0000000000000001"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\t0"), ("Seccomp:\t2", "Seccomp:\t0"), ("Seccomp:\t2", "Nothing:\t2"),
        ("Seccomp_filters:\t2", "Seccomp_filters:\t1"),
        ("Uid:\t1000017\t1000017", "Uid:\t1000017\t0"),
        ("Uid:\t1000017\t1000017\t1000017\t1000017", "Uid:\t0\t0\t0\t0"),
    ])
    func `one layer less is one fault`(is text: String, instead: String) {
        let status = Self.good.replacing(text, with: instead)
        #expect(status != Self.good)
        #expect(Proof(status: status, uidBase: 1_000_000, gidBase: 1_000_000, filters: 2).faults.count == 1)
    }

    @Test(arguments: [(UInt32(1_000_016), 0), (1_000_017, 2)]) func `the user is above the base`(
        base: UInt32,
        faults: Int
    ) {
        #expect(Proof(status: Self.good, uidBase: base, gidBase: base, filters: nil).faults.count == faults)
    }

    @Test(arguments: [(UInt32(991_826), 0), (UInt32(991_825), 2)]) func `the user is below the end of the range`(
        base: UInt32,
        faults: Int
    ) {
        #expect(Proof(status: Self.good, uidBase: base, gidBase: base, filters: nil).faults.count == faults)
    }

    @Test func `groups have a base of their own`() {
        #expect(Proof(status: Self.good, uidBase: 1_000_000, gidBase: 1_000_017, filters: nil).faults.count == 1)
    }

    @Test func `a host that hides processes cannot be asked`() {
        #expect(Proof(status: "", uidBase: 0, gidBase: 0, filters: 2).faults.isEmpty)
    }
}
