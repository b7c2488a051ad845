/// What an audit found.
public struct AuditReport: Sendable, Equatable, Codable {
    /// One rule that was checked.
    public struct Check: Sendable, Equatable, Codable {
        /// The rule, for example `"I2 account totals equal transfers"`.
        public let name: String
        /// Whether it holds.
        public let ok: Bool
        /// How many records were looked at.
        public let examined: Int64
    }

    /// One place where a rule does not hold.
    public struct Violation: Sendable, Equatable, Codable {
        /// The rule.
        public let check: String
        /// The records, with both figures.
        public let detail: String
    }

    /// Whether every rule holds.
    public let ok: Bool
    /// The rules, in the order in which they were checked.
    public let checks: [Check]
    /// Where they do not hold; at most ``violationsMax`` for each rule.
    public let violations: [Violation]

    /// Violations listed for one rule; the rest is counted.
    public static let violationsMax = 100

    init(_ findings: [Findings]) {
        ok = findings.allSatisfy { $0.count == 0 }
        checks = findings.map(\.check)
        violations = findings.flatMap(\.listed)
    }
}

/// Gathers the findings of one rule, up to the bound.
struct Findings: Sendable {
    let name: String
    var examined: Int64 = 0
    private(set) var count = 0
    private(set) var violations: [AuditReport.Violation] = []

    init(_ name: String) {
        self.name = name
    }

    /// One finding.
    init(_ name: String, _ detail: String) {
        self.name = name
        add(detail)
    }

    mutating func add(_ detail: @autoclosure () -> String) {
        count += 1
        guard count <= AuditReport.violationsMax else { return }
        violations.append(.init(check: name, detail: detail()))
    }

    /// Puts what was found in front of this ahead of it.
    mutating func prepend(_ former: Findings) {
        count += former.count
        examined += former.examined
        violations = Array((former.violations + violations).prefix(AuditReport.violationsMax))
    }

    /// These findings, and then others of the same rule.
    func followed(by other: Findings) -> Findings {
        var all = other
        all.prepend(self)
        return all
    }

    /// The findings for the report, with a last line for those that were only counted.
    var listed: [AuditReport.Violation] {
        guard count > AuditReport.violationsMax else { return violations }
        return violations + [.init(check: name, detail: "and \(count - AuditReport.violationsMax) more")]
    }

    var check: AuditReport.Check { .init(name: name, ok: count == 0, examined: examined) }
}
