import Billing
import Catalog
import HTTPTypes
import Hummingbird

extension ManageRoutes {
    private struct QuotaRemoved: Encodable {
        var scope: String
        var metric: String
        var removed: Bool
    }
    private struct Explanation: Encodable {
        var account: String
        var key: String
        var algorithm: String
        var results: [QuotaExplanation]
    }

    func addQuotas(_ router: Router<EdgeContext>) {
        router.put(
            "/v1/manage/quotas",
            use: administrator { request, _, caller in
                let fields = try await Fields(request, known: ["scope", "metric", "limit", "if_rev"])
                let scope = try scope(fields.text("scope", bytes: 1...512))
                let quota = try await ledger.setQuota(
                    scope,
                    try metric(fields.text("metric")),
                    limit: try fields.integer("limit", 0...(1 << 53) - 1),
                    ifRev: try fields.revision(),
                    actor: caller.actor
                )
                return JSONReply.make(.ok, quota)
            }
        )
        router.get(
            "/v1/manage/quotas",
            use: administrator { request, _, _ in
                let scope = try request.query("scope").map { try self.scope($0) }
                let metric = try request.query("metric").map { try self.metric($0) }
                return JSONReply.results(ledger.quotas(scope: scope, metric: metric))
            }
        )
        router.delete(
            "/v1/manage/quotas",
            use: administrator { request, _, caller in
                let scope = try scope(request.query("scope") ?? "")
                let metric = try metric(request.query("metric") ?? "")
                let rev = try request.number("if_rev", Fields.revisions)
                let removed = try await ledger.unsetQuota(scope, metric, ifRev: rev, actor: caller.actor)
                return JSONReply.make(.ok, QuotaRemoved(scope: scope.text, metric: metric.rawValue, removed: removed))
            }
        )
        router.get(
            "/v1/manage/quotas/explain",
            use: administrator { request, _, _ in
                let account = try user(request.query("account") ?? "").name
                let (key, algorithm) = (request.query("key") ?? "", request.query("algorithm") ?? "")
                let results = ledger.explain(account: account, keyID: key, algorithm: algorithm)
                return JSONReply.make(
                    .ok,
                    Explanation(account: account, key: key, algorithm: algorithm, results: results)
                )
            }
        )
    }

    /// A scope in the names' own spelling: a limit on a name that nobody has would limit nothing.
    private func scope(_ text: String) throws -> QuotaScope {
        let parts = try text.split(separator: "+", omittingEmptySubsequences: false).map { part in
            let pieces = part.split(separator: ":", maxSplits: 1).map(String.init)
            guard pieces.count == 2 else { return String(part) }
            if ["account", "author"].contains(pieces[0]) { return pieces[0] + ":" + (try user(pieces[1]).name) }
            if pieces[0] == "key", catalog.key(id: pieces[1]) == nil {
                throw ManageProblem(
                    status: .notFound,
                    type: "not_found",
                    message: "there is no key \(pieces[1].prefix(100)); see faasctl key list",
                    field: "scope",
                    value: text
                )
            }
            return String(part)
        }
        return try QuotaScope(parts.joined(separator: "+"))
    }

    private func metric(_ name: String) throws(ManageProblem) -> QuotaMetric {
        guard let metric = QuotaMetric(rawValue: name) else {
            throw .invalid("metric", name, "one of \(QuotaMetric.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return metric
    }
}
