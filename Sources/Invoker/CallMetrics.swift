internal import Billing
internal import Synchronization

/// Where the time of calls went and what became of them, counted once for each call and written out for Prometheus.
///
/// - Source: prometheus.io, "Text-based format"; histograms with cumulative buckets, in seconds.
final class CallMetrics: Sendable {
    /// Upper bounds of the buckets; microseconds.
    static let boundsMicros: [Int64] = [
        50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
        30_000_000, 300_000_000,
    ]

    private struct Histogram: Sendable {
        var buckets = [UInt64](repeating: 0, count: boundsMicros.count + 1)
        var sumMicros: Int64 = 0

        mutating func add(_ micros: Int64) {
            buckets[boundsMicros.firstIndex { micros <= $0 } ?? boundsMicros.count] += 1
            sumMicros += micros
        }
    }

    private struct State: Sendable {
        var refusals: [Refusal.Kind: UInt64] = [:]
        var histograms: [[Histogram]] = Phase.allCases.map { _ in StartKind.allCases.map { _ in Histogram() } }
        var outcomes: [Outcome: UInt64] = [:]
    }

    /// What a call consists of, in this order.
    enum Phase: Int, CaseIterable {
        case queue, start, load, run, freeze, commit

        fileprivate func time(in reply: CallReply) -> Duration {
            switch self {
            case .queue: reply.queue
            case .start: reply.starting
            case .load: reply.load
            case .run: reply.wall
            case .freeze: reply.freeze
            case .commit: reply.commit
            }
        }
    }

    private let state = Mutex(State())

    /// Counts a call; a warm worker was neither started nor loaded, so that it counts in neither.
    func record(_ reply: CallReply, _ outcome: Outcome) {
        state.withLock { state in
            state.outcomes[outcome, default: 0] += 1
            for phase in Phase.allCases where reply.start != .warm || (phase != .start && phase != .load) {
                state.histograms[phase.rawValue][reply.start.index].add(phase.time(in: reply).microsecondsClamped)
            }
        }
    }

    /// Counts a call that was not let in.
    func refused(_ kind: Refusal.Kind) { state.withLock { $0.refusals[kind, default: 0] += 1 } }

    /// All of it as text.
    var text: String {
        let state = state.withLock { $0 }
        var text = "# TYPE faasd_calls_total counter\n"
        for (outcome, count) in state.outcomes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text += "faasd_calls_total{outcome=\"\(outcome.name)\"} \(count)\n"
        }
        if !state.refusals.isEmpty { text += "# TYPE faasd_refusals_total counter\n" }
        for (kind, count) in state.refusals.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text += "faasd_refusals_total{reason=\"\(kind.rawValue)\"} \(count)\n"
        }
        text += "# TYPE faasd_call_phase_seconds histogram\n"
        for phase in Phase.allCases {
            for start in StartKind.allCases {
                let histogram = state.histograms[phase.rawValue][start.index]
                text += Self.lines(histogram, "phase=\"\(phase)\",start=\"\(start.rawValue)\"")
            }
        }
        return text
    }

    private static func lines(_ histogram: Histogram, _ labels: String) -> String {
        guard histogram.buckets.contains(where: { $0 > 0 }) else { return "" }
        var text = ""
        var count: UInt64 = 0
        for (index, bucket) in histogram.buckets.enumerated() {
            count += bucket
            let bound = index < boundsMicros.count ? "\(Double(boundsMicros[index]) / 1e6)" : "+Inf"
            text += "faasd_call_phase_seconds_bucket{\(labels),le=\"\(bound)\"} \(count)\n"
        }
        text += "faasd_call_phase_seconds_sum{\(labels)} \(Double(histogram.sumMicros) / 1e6)\n"
        return text + "faasd_call_phase_seconds_count{\(labels)} \(count)\n"
    }
}

extension StartKind {
    fileprivate var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension Duration {
    /// Whole microseconds, at most what fits.
    var microsecondsClamped: Int64 { nanosecondsClamped / 1_000 }
}
