import Testing

@testable import Sandbox

/// Numbers in the kernel's small files.
@Suite struct KernelTests {
    private func number(_ text: String, _ key: StaticString?) -> UInt64 {
        Array(text.utf8).withUnsafeBytes { Kernel.number(in: $0, key: key) }
    }

    @Test(arguments: [
        ("usage_usec 37\nuser_usec 5\n", UInt64(37)), ("user_usec 5\nusage_usec 18446744073709551615\n", .max),
        ("user_usec 5\nusage_usec 18446744073709551616\n", 0), ("usage_usec_more 4\nusage_usec 9", 9),
        ("usage_usec \n", 0), ("usage_usec", 0), ("usage_use", 0), ("", 0), ("x usage_usec 3\n", 0),
        ("usage_usec 1x\n", 1),
    ])
    func `the number of a key is that of its own line`(text: String, expected: UInt64) {
        #expect(number(text, "usage_usec") == expected)
    }

    @Test(arguments: [("12\n", UInt64(12)), ("0", 0), ("", 0), ("x", 0), ("-1", 0)])
    func `a file of one number has no key`(text: String, expected: UInt64) {
        #expect(number(text, nil) == expected)
    }
}
