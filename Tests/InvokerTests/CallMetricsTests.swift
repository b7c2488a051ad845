import Testing

@testable import Billing
@testable import Invoker

/// What /metrics says of calls.
@Suite struct CallMetricsTests {
    private func reply(_ start: StartKind, run micros: Int64) -> CallReply {
        var reply = CallReply(answer: .fault(""))
        reply.start = start
        reply.wall = .microseconds(micros)
        return reply
    }

    @Test(arguments: [(micros: Int64(99), first: 1), (100, 1), (101, 0)])
    func `a bucket holds what is at most its bound`(micros: Int64, first: Int) {
        let metrics = CallMetrics()
        metrics.record(reply(.blank, run: micros), .ok)
        let line = "faasd_call_phase_seconds_bucket{phase=\"run\",start=\"blank\",le=\"0.0001\"} \(first)\n"
        #expect(metrics.text.contains(line), "\(metrics.text)")
    }

    @Test func `buckets are cumulative, and the last has all`() {
        let metrics = CallMetrics()
        for micros in [Int64(10), 200, 400_000_000] { metrics.record(reply(.zygote, run: micros), .ok) }
        let label = "phase=\"run\",start=\"zygote\""
        for (bound, count) in [("5e-05", 1), ("0.00025", 2), ("300.0", 2), ("+Inf", 3)] {
            #expect(
                metrics.text.contains("faasd_call_phase_seconds_bucket{\(label),le=\"\(bound)\"} \(count)\n"),
                "\(bound)"
            )
        }
        #expect(metrics.text.contains("faasd_call_phase_seconds_count{\(label)} 3\n"))
        #expect(metrics.text.contains("faasd_call_phase_seconds_sum{\(label)} 400.00021\n"))
    }

    @Test func `a warm worker was neither started nor loaded, and outcomes are counted by name`() {
        let metrics = CallMetrics()
        metrics.record(reply(.warm, run: 1), .ok)
        metrics.record(reply(.warm, run: 1), .loadFailed)
        #expect(!metrics.text.contains("phase=\"load\"") && !metrics.text.contains("phase=\"start\""))
        #expect(metrics.text.contains("faasd_calls_total{outcome=\"\(Outcome.ok.name)\"} 1\n"))
        #expect(metrics.text.contains("faasd_calls_total{outcome=\"\(Outcome.loadFailed.name)\"} 1\n"))
    }
}
