import Billing
import Catalog
import Invoker

/// The quotas of workers, by the versions that calls are about just now.
struct WorkerWishes: Sendable {
    let catalog: Catalog
    let ledger: Ledger

    /// What is wanted; algorithms that are gone, or not for that account, want nothing.
    var all: [WorkerWish] {
        let quotas = ledger.quotas().filter(\.metric.isOfWorkers)
        return Dictionary(grouping: quotas, by: \.scope).flatMap { scope, quotas -> [WorkerWish] in
            guard let (account, owner, name) = Self.parts(scope),
                let latest = try? catalog.resolve(owner: owner, name: name, as: .user(account)),
                let versions = try? catalog.versions(owner: owner, name: name, as: .user(account))
            else { return [] }
            func limit(_ metric: QuotaMetric) -> Int? { quotas.first { $0.metric == metric }.map { Int($0.limit) } }
            return versions.map { version in
                let isLatest = version.id == latest.id
                return WorkerWish(
                    version: version,
                    account: account,
                    max: limit(.workersMax),
                    warm: isLatest ? limit(.workersWarm) ?? 0 : 0,
                    reserved: isLatest ? limit(.workersReserved) ?? 0 : 0
                )
            }
        }
    }

    /// `account:NAME+algorithm:OWNER/NAME`.
    static func parts(_ scope: String) -> (account: String, owner: String, name: String)? {
        let halves = scope.split(separator: "+", maxSplits: 1)
        guard halves.count == 2, halves[0].hasPrefix("account:"), halves[1].hasPrefix("algorithm:") else { return nil }
        let names = halves[1].dropFirst("algorithm:".count).split(separator: "/")
        guard names.count == 2 else { return nil }
        return (String(halves[0].dropFirst("account:".count)), String(names[0]), String(names[1]))
    }
}
