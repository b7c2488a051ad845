import Billing
import Foundation
import Invoker
import Sandbox

/// What an operator may set in a JSON file; everything has a default.
struct Configuration: Sendable {
    var prices = PriceBook.standard
    var limits = Limits()
    /// The ledger's bounds.
    var ledger = LedgerLimits()
    /// How long running calls may go on after SIGTERM.
    var drainSeconds = 30
    /// Below this much credit, answers carry an alert; zero for none.
    var lowCredit = Microcredits(rawValue: 10_000_000)
    /// Which system calls authors' code may make.
    var systemCalls = SyscallProfile.python
    /// From one pass of the continuous audit to the next.
    var auditSeconds = 60
    /// Connections of clients at one time.
    var connectionsMax = 4_096

    /// Reads a file, or gives the defaults when there is none.
    ///
    /// - Throws: `StartupError` naming the file, the key and what is allowed.
    static func load(path: String?) throws(StartupError) -> Configuration {
        guard let path else { return Configuration() }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            try refuseFractions(data)
            let file = try JSONDecoder().decode(File.self, from: data)
            try refuseUnknownKeys(data)
            return try file.configuration()
        } catch let error as StartupError {
            throw StartupError("\(path): \(error)")
        } catch let error as DecodingError {
            throw StartupError("\(path): \(error.readable)")
        } catch { throw StartupError("\(path): \(error)") }
    }

    /// A key that is misspelt would otherwise leave its default in force without a word.
    private static func refuseUnknownKeys(_ data: Data) throws {
        guard let all = try JSONSerialization.jsonObject(with: data) as? [String: Any] else { return }
        try refuse(all.keys, except: File.CodingKeys.allCases.map(\.rawValue), in: "")
        if let prices = all["prices"] as? [String: Any] {
            try refuse(prices.keys, except: File.Prices.CodingKeys.allCases.map(\.rawValue), in: "prices.")
        }
        if let limits = all["limits"] as? [String: Any] {
            try refuse(limits.keys, except: File.Bounds.CodingKeys.allCases.map(\.rawValue), in: "limits.")
        }
        if let ledger = all["ledger"] as? [String: Any] {
            try refuse(ledger.keys, except: File.Keeping.CodingKeys.allCases.map(\.rawValue), in: "ledger.")
        }
    }

    /// Every number is a whole one; the decoder would call another "not JSON" without its name.
    private static func refuseFractions(_ data: Data) throws(StartupError) {
        guard let all = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { return }
        let inner = all.compactMap { name, value in (value as? [String: Any])?.map { ("\(name).\($0)", $1) } }
        for (name, value) in all.map({ ($0, $1) }) + inner.joined() {
            guard let number = value as? Double, Int64(exactly: number) == nil, !(value is Int64) else { continue }
            throw StartupError("\(name) is \(number); allowed are whole numbers")
        }
    }

    private static func refuse(
        _ keys: some Sequence<String>,
        except known: [String],
        in section: String
    ) throws(StartupError) {
        guard let unknown = keys.filter({ !known.contains($0) }).min() else { return }
        throw StartupError("there is no key \(section)\(unknown); there are \(known.sorted().joined(separator: ", "))")
    }

    private struct File: Decodable {
        enum CodingKeys: String, CodingKey, CaseIterable {
            case prices, limits, ledger, drain_seconds, connections, low_credit_microcredits, system_calls,
                audit_seconds, preload
        }

        struct Prices: Decodable {
            var compute_picocredits_per_microsecond: Int64?
            var increment_microseconds: Int64?
            var call_microcredits: Int64?
            var fee_basis_points: Int64?

            enum CodingKeys: String, CodingKey, CaseIterable {
                case compute_picocredits_per_microsecond, increment_microseconds, call_microcredits, fee_basis_points
            }
        }
        struct Bounds: Decodable {
            var workers: Int?
            var workers_per_version_and_account: Int?
            var waiting_calls: Int?
            var waiting_calls_per_version: Int?
            var waiting_calls_per_account: Int?
            var idle_seconds: Int?
            var load_seconds: Int?
            var archive_bytes: Int?
            var workers_per_account: Int?
            var blanks: Int?
            var answer_bytes: Int?
            var unread_seconds: Int?
            var unpaid_cpu_seconds_account: Int64?
            var unpaid_cpu_seconds_author: Int64?
            var unpaid_cpu_seconds_pair: Int64?

            enum CodingKeys: String, CodingKey, CaseIterable {
                case workers, workers_per_version_and_account, workers_per_account, blanks, waiting_calls, idle_seconds
                case waiting_calls_per_version, waiting_calls_per_account
                case load_seconds, archive_bytes, answer_bytes, unread_seconds
                case unpaid_cpu_seconds_account, unpaid_cpu_seconds_author, unpaid_cpu_seconds_pair
            }
        }
        struct Keeping: Decodable {
            var durable_hold_credits: Int64?
            var idempotency_hours: Int64?
            var kept_answer_bytes: Int?

            enum CodingKeys: String, CodingKey, CaseIterable {
                case durable_hold_credits, idempotency_hours, kept_answer_bytes
            }
        }
        var prices: Prices?
        var limits: Bounds?
        var ledger: Keeping?
        var drain_seconds: Int?
        var connections: Int?
        var audit_seconds: Int?
        var low_credit_microcredits: Int64?
        var system_calls: String?
        var preload: [String]?

        func configuration() throws(StartupError) -> Configuration {
            var result = Configuration()
            result.systemCalls = try systemCalls()
            if let preload { result.limits.preload = try Set(preload.map(Self.distribution)) }
            result.prices = try priceBook()
            try set(&result.limits.workersMax, limits?.workers, 1...1_000, "limits.workers")
            try set(
                &result.limits.workersPerKeyMax,
                limits?.workers_per_version_and_account,
                1...1_000,
                "limits.workers_per_version_and_account"
            )
            try set(
                &result.limits.workersPerAccountMax,
                limits?.workers_per_account,
                1...1_000,
                "limits.workers_per_account"
            )
            try set(&result.limits.blanksMax, limits?.blanks, 0...500, "limits.blanks")
            try set(&result.limits.waitersMax, limits?.waiting_calls, 0...100_000, "limits.waiting_calls")
            result.limits.waitersPerVersionMax = try checked(
                limits?.waiting_calls_per_version.map(Int64.init),
                0...100_000,
                "limits.waiting_calls_per_version"
            ).map(Int.init)
            result.limits.waitersPerAccountMax = try checked(
                limits?.waiting_calls_per_account.map(Int64.init),
                0...100_000,
                "limits.waiting_calls_per_account"
            ).map(Int.init)
            try set(&result.limits.archiveBytesMax, limits?.archive_bytes, 1_024...1 << 30, "limits.archive_bytes")
            try set(&result.limits.answerBytesMax, limits?.answer_bytes, 1 << 25...1 << 40, "limits.answer_bytes")
            try set(&result.drainSeconds, drain_seconds, 0...3_600, "drain_seconds")
            try set(&result.auditSeconds, audit_seconds, 1...86_400, "audit_seconds")
            try set(&result.connectionsMax, connections, 1...100_000, "connections")
            var credit = result.lowCredit.rawValue
            try set(
                &credit,
                low_credit_microcredits,
                0...Microcredits.maximum.rawValue,
                "low_credit_microcredits"
            )
            result.lowCredit = Microcredits(rawValue: credit)
            var seconds = 0
            try set(&seconds, limits?.idle_seconds, 1...86_400, "limits.idle_seconds")
            if seconds > 0 { result.limits.idleMax = .seconds(seconds) }
            seconds = 0
            try set(&seconds, limits?.load_seconds, 1...3_000, "limits.load_seconds")
            if seconds > 0 { result.limits.loadMax = .seconds(seconds) }
            seconds = 0
            try set(&seconds, limits?.unread_seconds, 1...3_600, "limits.unread_seconds")
            if seconds > 0 { result.limits.unreadMax = .seconds(seconds) }
            result.ledger = try ledgerLimits()
            return result
        }

        private func ledgerLimits() throws(StartupError) -> LedgerLimits {
            var result = LedgerLimits()
            let most = Microcredits.maximum.rawValue / 1_000_000
            let credits = try checked(ledger?.durable_hold_credits, 0...most, "ledger.durable_hold_credits")
            if let credits { result.durableHoldMin = Microcredits(rawValue: credits * 1_000_000) }
            try set(&result.keptAnswerBytesMax, ledger?.kept_answer_bytes, 0...1 << 24, "ledger.kept_answer_bytes")
            let hours = try checked(ledger?.idempotency_hours, 1...8_760, "ledger.idempotency_hours")
            if let hours { result.keyLifetime = .seconds(hours * 3600) }
            for (value, name, path) in [
                (limits?.unpaid_cpu_seconds_account, "account", \LedgerLimits.unpaidCPUAccount),
                (limits?.unpaid_cpu_seconds_author, "author", \.unpaidCPUAuthor),
                (limits?.unpaid_cpu_seconds_pair, "pair", \.unpaidCPUPair),
            ] {
                let seconds = try checked(value, 0...86_400_000, "limits.unpaid_cpu_seconds_\(name)")
                if let seconds { result[keyPath: path] = .seconds(seconds) }
            }
            return result
        }

        /// The value, if it is given and in its range.
        private func checked(
            _ value: Int64?,
            _ range: ClosedRange<Int64>,
            _ name: String
        ) throws(StartupError) -> Int64? {
            guard value != nil else { return nil }
            var result: Int64 = 0
            try set(&result, value, range, name)
            return result
        }

        /// A distribution's name in the form in which names are compared: PEP 503.
        private static func distribution(_ name: String) throws(StartupError) -> String {
            let isName = name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "-_.".utf8.contains(byte)
            }
            guard isName, let first = name.first, first.isLetter || first.isNumber else {
                throw StartupError("preload: \(name) is no distribution's name; wanted is a list such as [\"numpy\"]")
            }
            return name.lowercased().split { "-_.".contains($0) }.joined(separator: "-")
        }

        private func systemCalls() throws(StartupError) -> SyscallProfile {
            guard let name = system_calls else { return .python }
            guard let found = SyscallProfile(rawValue: name) else {
                let all = SyscallProfile.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartupError("system_calls is \(name); allowed are \(all)")
            }
            return found
        }

        private func priceBook() throws(StartupError) -> PriceBook {
            let standard = PriceBook.standard
            do {
                return try PriceBook(
                    computePicocreditsPerMicrosecond: prices?.compute_picocredits_per_microsecond
                        ?? standard.computePicocreditsPerMicrosecond,
                    incrementMicroseconds: prices?.increment_microseconds ?? standard.incrementMicroseconds,
                    perCallMicrocredits: prices?.call_microcredits ?? standard.perCallMicrocredits,
                    feeBasisPoints: prices?.fee_basis_points ?? standard.feeBasisPoints
                )
            } catch { throw StartupError("prices: \(error)") }
        }

        private func set<Number: FixedWidthInteger>(
            _ target: inout Number,
            _ value: Number?,
            _ range: ClosedRange<Number>,
            _ name: String
        ) throws(StartupError) {
            guard let value else { return }
            guard range.contains(value) else {
                throw StartupError("\(name) is \(value); allowed is \(range.lowerBound) to \(range.upperBound)")
            }
            target = value
        }
    }
}

extension DecodingError {
    fileprivate var readable: String {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        case .dataCorrupted(let context): "not JSON: \(context.debugDescription)"
        @unknown default: "\(self)"
        }
    }
}

/// Where to listen.
struct ListenAddress: Sendable, Equatable {
    var host: String
    var port: Int

    /// Reads `HOST:PORT` or `[V6]:PORT`.
    ///
    /// - Throws: `StartupError` with the form wanted.
    init(_ text: String) throws(StartupError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), colon > text.startIndex
        else { throw StartupError("--listen \(text): wanted HOST:PORT, such as 127.0.0.1:8080") }
        self.port = port
        host = String(text[..<colon]).trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    }
}

/// Why the daemon did not start, with the remedy.
struct StartupError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
