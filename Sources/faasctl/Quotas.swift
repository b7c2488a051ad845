internal import ArgumentParser

/// What a quota counts.
enum QuotaMetric: String, CaseIterable, ExpressibleByArgument, Sendable {
    case requestsPerSecond = "requests_per_second"
    case concurrentCalls = "concurrent_calls"
    case spendDayMicrocredits = "spend_day_microcredits"
    case spendMonthMicrocredits = "spend_month_microcredits"
    case cpuSecondsMonth = "cpu_seconds_month"
    case unpaidCPUSecondsDay = "unpaid_cpu_seconds_day"
    case workersMax = "workers_max"
    case workersWarm = "workers_warm"
    case workersReserved = "workers_reserved"
}

/// What a quota limits.
enum QuotaScope: Sendable, Equatable {
    /// All calls that an account pays.
    case account(String)
    /// All calls with a key.
    case key(String)
    /// All calls of an algorithm.
    case algorithm(AlgorithmName)
    /// An account's calls of an algorithm.
    case accountAlgorithm(String, AlgorithmName)
    /// All algorithms of an author.
    case author(String)

    init(parsing text: String) throws {
        let parts = try text.split(separator: "+", omittingEmptySubsequences: false).map(Self.part)
        switch (parts.first, parts.dropFirst().first, parts.count) {
        case (.account(let name)?, nil, 1): self = .account(name)
        case (.key(let id)?, nil, 1): self = .key(id)
        case (.algorithm(let name)?, nil, 1): self = .algorithm(name)
        case (.author(let name)?, nil, 1): self = .author(name)
        case (.account(let account)?, .algorithm(let name)?, 2): self = .accountAlgorithm(account, name)
        default: throw Self.rule
        }
    }

    /// The form the daemon knows.
    var text: String {
        switch self {
        case .account(let name): "account:\(name)"
        case .key(let id): "key:\(id)"
        case .algorithm(let name): "algorithm:\(name)"
        case .author(let name): "author:\(name)"
        case .accountAlgorithm(let account, let name): "account:\(account)+algorithm:\(name)"
        }
    }

    private static var rule: ArgumentRule {
        ArgumentRule(
            "a scope is account:NAME, key:ID, algorithm:OWNER/NAME, account:NAME+algorithm:OWNER/NAME or author:NAME"
        )
    }

    private static func part(_ text: Substring) throws -> QuotaScope {
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard halves.count == 2 else { throw rule }
        switch halves[0] {
        case "account": return .account(try Names.user(halves[1]))
        case "author": return .author(try Names.user(halves[1]))
        case "key": return .key(try Names.keyID(halves[1]))
        case "algorithm": return .algorithm(try AlgorithmName(parsing: halves[1]))
        default: throw rule
        }
    }
}

/// The limit of a quota: a whole number, 0 … 2^53 − 1 (what JSON carries exactly).
struct QuotaLimit: Sendable, Equatable {
    let value: Int64

    init(parsing text: String) throws {
        guard text.wholeMatch(of: /[0-9]{1,16}/) != nil, let value = Int64(text), value < 1 << 53 else {
            throw ArgumentRule("LIMIT is a whole number, 0 to 9007199254740991")
        }
        self.value = value
    }
}
