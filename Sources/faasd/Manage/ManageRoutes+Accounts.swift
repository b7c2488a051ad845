import Billing
import Catalog
import HTTPTypes
import Hummingbird

extension ManageRoutes {
    private struct TopUp: Decodable {
        var credits: String
        var ref: String
    }
    private struct BalanceBody: Encodable {
        var available_microcredits: Int64
        var held_microcredits: Int64
        var spent_microcredits: Int64

        init(_ balance: Balance) {
            available_microcredits = balance.available.rawValue
            held_microcredits = balance.held.rawValue
            spent_microcredits = balance.spent.rawValue
        }
    }

    func addAccounts(_ router: Router<EdgeContext>) {
        router.post(
            "/v1/manage/accounts/:name/top-ups",
            use: administrator { request, context, caller in
                let account = try user(context.parameters.get("name") ?? "").name
                let wanted = try await JSONReply.read(TopUp.self, request)
                let amount = try Microcredits(credits: wanted.credits)
                let balance = try await ledger.topUp(
                    account: account,
                    amount: amount,
                    ref: wanted.ref,
                    actor: caller.actor
                )
                return JSONReply.make(.created, BalanceBody(balance))
            }
        )
        router.get(
            "/v1/manage/accounts/:name/balance",
            use: anyKey { _, context, caller in
                let account = try user(context.parameters.get("name") ?? "").name
                try requireOwner(account, caller)
                return JSONReply.make(.ok, BalanceBody(try ledger.balance(of: account)))
            }
        )
    }

    private struct QuotaWish: Decodable {
        var scope: String
        var metric: String
        var limit: Int64
    }
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
                let wish = try await JSONReply.read(QuotaWish.self, request)
                let scope = try scope(wish.scope)
                let quota = try await ledger.setQuota(
                    scope,
                    try metric(wish.metric),
                    limit: wish.limit,
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
                let removed = try await ledger.unsetQuota(scope, metric, actor: caller.actor)
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
            if pieces[0] == "account" { return "account:" + (try user(pieces[1]).name) }
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
