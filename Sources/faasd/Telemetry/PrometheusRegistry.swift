import CoreMetrics
import Synchronization

/// Metrics in memory, written out in the text format of Prometheus.
///
/// - Source: prometheus.io, "Text-based format"; times are summaries with a count and a sum, in seconds.
final class PrometheusRegistry: MetricsFactory {
    fileprivate enum Kind: String {
        case counter
        case gauge
        case summary
    }

    fileprivate struct Series: Hashable {
        var name: String
        var labels: String
    }

    fileprivate struct Value {
        var kind: Kind
        var sum: Double = 0
        var count: Int64 = 0
    }

    private let series = Mutex<[Series: Value]>([:])

    /// How many different series are kept; more would be a leak by labels.
    static let seriesMax = 2_000

    fileprivate func update(_ key: Series, _ kind: Kind, _ change: (inout Value) -> Void) {
        series.withLock { all in
            guard all[key] != nil || all.count < Self.seriesMax else { return }
            change(&all[key, default: Value(kind: kind)])
        }
    }

    /// All series as text, sorted by name.
    func text(adding gauges: [(name: String, value: Int)]) -> String {
        for gauge in gauges { update(Series(name: gauge.name, labels: ""), .gauge) { $0.sum = Double(gauge.value) } }
        let all = series.withLock { $0 }.sorted { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }
        var text = ""
        var last = ""
        for (key, value) in all {
            if key.name != last { text += "# TYPE \(key.name) \(value.kind.rawValue)\n" }
            last = key.name
            if value.kind == .summary {
                text += "\(key.name)_sum\(key.labels) \(value.sum)\n\(key.name)_count\(key.labels) \(value.count)\n"
            } else {
                text += "\(key.name)\(key.labels) \(value.sum.formattedWhole)\n"
            }
        }
        return text
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(registry: self, key: Self.key(label, dimensions), kind: .counter)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        Handler(registry: self, key: Self.key(label, dimensions), kind: aggregate ? .summary : .gauge)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Handler(registry: self, key: Self.key(label, dimensions), kind: .summary)
    }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private static func key(_ label: String, _ dimensions: [(String, String)]) -> Series {
        let name = String(label.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "_" })
        let labels = dimensions.map { "\($0.0)=\"\($0.1.filter { $0 != "\"" && $0 != "\\" && !$0.isNewline })\"" }
        return Series(name: name, labels: labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}")
    }
}

private final class Handler: CounterHandler, RecorderHandler, TimerHandler {
    let registry: PrometheusRegistry
    let key: PrometheusRegistry.Series
    let kind: PrometheusRegistry.Kind

    init(registry: PrometheusRegistry, key: PrometheusRegistry.Series, kind: PrometheusRegistry.Kind) {
        self.registry = registry
        self.key = key
        self.kind = kind
    }

    func increment(by amount: Int64) { registry.update(key, kind) { $0.sum += Double(amount) } }
    func reset() { registry.update(key, kind) { $0.sum = 0 } }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { observe(value) }
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1_000_000_000) }

    private func observe(_ value: Double) {
        registry.update(key, kind) {
            $0.sum = kind == .summary ? $0.sum + value : value
            $0.count += 1
        }
    }
}

extension Double {
    fileprivate var formattedWhole: String { self == rounded() ? String(Int64(self)) : String(self) }
}
