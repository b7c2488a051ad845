import Billing
import Foundation
import Invoker
import Sandbox
import Testing

@testable import faasd

@Suite struct ConfigurationTests {
    private func load(_ text: String) throws -> Configuration {
        let path = NSTemporaryDirectory() + "faasd-config-\(UInt64.random(in: .min ... .max)).json"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try Configuration.load(path: path)
    }

    @Test func `what is not named keeps its default`() throws {
        let configuration = try load(
            "{\"prices\":{\"call_microcredits\":1000000,\"compute_picocredits_per_microsecond\":0}}"
        )
        #expect(configuration.prices.perCallMicrocredits == 1_000_000)
        #expect(configuration.prices.computePicocreditsPerMicrosecond == 0)
        #expect(configuration.prices.feeBasisPoints == 3_000)
        #expect(configuration.limits.workersMax == 64)
    }

    @Test(arguments: [
        ("{\"limits\":{\"workers\":0}}", "limits.workers is 0; allowed is 1 to 1000"),
        ("{\"limits\":{\"workers\":1001}}", "limits.workers is 1001"),
        ("{\"drain_seconds\":3601}", "drain_seconds is 3601"),
        ("{\"audit_seconds\":0}", "audit_seconds is 0; allowed is 1 to 86400"),
        ("{\"audit_seconds\":86401}", "audit_seconds is 86401"),
        ("{\"prices\":{\"fee_basis_points\":10001}}", "10001"),
        ("{\"limits\":{\"workers\":\"many\"}}", "limits.workers"),
        ("{\"limits\":{\"answer_bytes\":33554431}}", "limits.answer_bytes is 33554431; allowed is 33554432 to"),
        ("{\"limits\":{\"unread_seconds\":0}}", "limits.unread_seconds is 0; allowed is 1 to 3600"),
        ("{\"limits\":{\"unread_seconds\":3601}}", "limits.unread_seconds is 3601"),
        (
            "{\"limits\":{\"unpaid_cpu_seconds_account\":-1}}",
            "unpaid_cpu_seconds_account is -1; allowed is 0 to 86400000"
        ),
        ("{\"limits\":{\"unpaid_cpu_seconds_author\":86400001}}", "limits.unpaid_cpu_seconds_author is 86400001"),
        ("{\"limits\":{\"unpaid_cpu_seconds_pair\":1.5}}", "limits.unpaid_cpu_seconds_pair is 1.5; allowed are whole"),
        ("{\"connections\":1e300}", "connections is 1e+300; allowed are whole"),
        ("{\"ledger\":{\"durable_hold_credits\":-1}}", "ledger.durable_hold_credits is -1; allowed is 0 to 9007199254"),
        ("{\"ledger\":{\"durable_hold_credits\":9007199255}}", "ledger.durable_hold_credits is 9007199255"),
        ("{\"ledger\":{\"idempotency_hours\":0}}", "ledger.idempotency_hours is 0; allowed is 1 to 8760"),
        ("{\"ledger\":{\"idempotency_hours\":8761}}", "ledger.idempotency_hours is 8761"),
        ("{\"ledger\":{\"kept_answer_bytes\":-1}}", "ledger.kept_answer_bytes is -1; allowed is 0 to 16777216"),
        ("{\"ledger\":{\"kept_answer_bytes\":16777217}}", "ledger.kept_answer_bytes is 16777217"),
        ("{\"ledger\":{\"keys\":1}}", "there is no key ledger.keys; there are durable_hold_credits"),
        ("{", "not JSON"), ("{\"limit\":{}}", "there is no key limit; there are audit_seconds"),
        ("{\"limits\":{\"worker\":1}}", "there is no key limits.worker"),
        ("{\"prices\":{\"fee\":1}}", "no key prices.fee"),
        ("{\"system_calls\":\"all\"}", "system_calls is all; allowed are python, general, jit, native"),
    ])
    func `a bad value is named with what is allowed`(text: String, words: String) {
        let error = #expect(throws: StartupError.self) { try load(text) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test(arguments: SyscallProfile.allCases)
    func `each set of system calls can be named`(calls: SyscallProfile) throws {
        #expect(try load("{\"system_calls\":\"\(calls.rawValue)\"}").systemCalls == calls)
        #expect(try load("{}").systemCalls == .python)
    }

    @Test func `the ledger's bounds are taken at both of their ends`() throws {
        let standard = try load("{}").ledger
        #expect(standard.keyLifetime >= .seconds(24 * 3600) && standard.durableHoldMin > .zero)
        let least = try load(
            """
            {"ledger":{"durable_hold_credits":0,"idempotency_hours":1,"kept_answer_bytes":0},
             "limits":{"unpaid_cpu_seconds_account":0,"unpaid_cpu_seconds_author":1,"unpaid_cpu_seconds_pair":2}}
            """
        ).ledger
        #expect(least.durableHoldMin == .zero && least.keyLifetime == .seconds(3600) && least.keptAnswerBytesMax == 0)
        #expect(least.unpaidCPUAccount == .zero && least.unpaidCPUAuthor == .seconds(1))
        #expect(least.unpaidCPUPair == .seconds(2))
        let most = try load(
            """
            {"ledger":{"durable_hold_credits":9007199254,"idempotency_hours":8760,"kept_answer_bytes":16777216},
             "limits":{"unpaid_cpu_seconds_account":86400000}}
            """
        ).ledger
        #expect(most.durableHoldMin.rawValue == 9_007_199_254_000_000 && most.keyLifetime == .seconds(8760 * 3600))
        #expect(most.keptAnswerBytesMax == 1 << 24 && most.unpaidCPUAccount == .seconds(86_400_000))
    }

    @Test(arguments: [("1", 1), ("1000", 1_000)])
    func `bounds themselves are allowed`(text: String, value: Int) throws {
        #expect(try load("{\"limits\":{\"workers\":\(text)}}").limits.workersMax == value)
    }

    @Test func `the smallest room for answers has a place for the largest one`() throws {
        let limits = try load("{\"limits\":{\"answer_bytes\":33554432,\"unread_seconds\":1}}").limits
        #expect(limits.answerBytesMax / 2 >= limits.outputBytesMax + limits.logBytesMax)
        #expect(limits.unreadMax == .seconds(1))
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:80", "::1", 80), ("0.0.0.0:0", "0.0.0.0", 0),
        ("h:65535", "h", 65_535),
    ])
    func `an address is a host and a port`(text: String, host: String, port: Int) throws {
        let address = try ListenAddress(text)
        #expect(address.host == host && address.port == port)
    }

    @Test(arguments: ["8080", ":8080", "host", "host:", "host:65536", "host:-1", "host:x"])
    func `anything else is refused with the form wanted`(text: String) {
        let error = #expect(throws: StartupError.self) { try ListenAddress(text) }
        #expect(error?.description.contains("HOST:PORT") == true)
    }
}
