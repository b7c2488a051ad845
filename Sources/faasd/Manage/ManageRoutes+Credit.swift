import Billing
import Catalog
import HTTPTypes
import Hummingbird

extension ManageRoutes {
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
    private struct Granted: Encodable {
        var account: String
        var grant: GrantRecord?
        var balance: BalanceBody
    }
    private struct Refunded: Encodable {
        var id: String
        var account: String
        var refunded_microcredits: Int64
        var balance: BalanceBody
    }

    func addCredit(_ router: Router<EdgeContext>) {
        router.post(
            "/v1/manage/accounts/:name/top-ups",
            use: administrator { request, context, caller in
                let account = try name(context)
                let fields = try await Fields(request, known: ["credits", "ref"])
                let balance = try await ledger.topUp(
                    account: account,
                    amount: Microcredits(rawValue: try fields.credits("credits")),
                    ref: try fields.text("ref", bytes: 1...255),
                    actor: caller.actor
                )
                return JSONReply.make(.created, BalanceBody(balance))
            }
        )
        router.get(
            "/v1/manage/accounts/:name/balance",
            use: ofOwner { _, account, _ in
                JSONReply.make(.ok, BalanceBody(try ledger.balance(of: account)))
            }
        )
        router.post(
            "/v1/manage/accounts/:name/adjustments",
            use: administrator { request, context, caller in
                let account = try name(context)
                let fields = try await Fields(request, known: ["credits", "reason", "ref"])
                let balance = try await ledger.adjust(
                    account: account,
                    amount: try fields.credits("credits", .notZero),
                    reason: try fields.text("reason"),
                    ref: try fields.text("ref", bytes: 1...255),
                    actor: caller.actor
                )
                return JSONReply.make(.created, BalanceBody(balance))
            }
        )
        router.post(
            "/v1/manage/usage/:id/refund",
            use: administrator { request, context, caller in
                try await refund(context.parameters.get("id") ?? "", request, caller)
            }
        )
    }

    func addGrants(_ router: Router<EdgeContext>) {
        router.post(
            "/v1/manage/accounts/:name/grants",
            use: administrator { request, context, caller in
                let account = try name(context)
                let fields = try await Fields(request, known: ["credits", "priority", "expires", "ref"])
                let ref = try fields.text("ref", bytes: 1...255)
                let end = try fields.optionalText("expires", bytes: 1...64)
                let balance = try await ledger.grant(
                    account: account,
                    amount: Microcredits(rawValue: try fields.credits("credits")),
                    priority: try fields.optionalInteger("priority", 0...99) ?? 10,
                    expires: try end.map { text throws(BillingError) in
                        try RFC3339.microseconds(text, field: "expires")
                    },
                    ref: ref,
                    actor: caller.actor
                )
                let grant = try ledger.grant(ref: ref)
                return JSONReply.make(.created, Granted(account: account, grant: grant, balance: BalanceBody(balance)))
            }
        )
        router.get(
            "/v1/manage/accounts/:name/grants",
            use: ofOwner { request, account, _ in
                let all = request.query("all") ?? "false"
                guard ["true", "false"].contains(all) else {
                    throw ManageProblem.invalid("all", all, "true or false")
                }
                return JSONReply.results(try ledger.grants(of: account, all: all == "true"))
            }
        )
        router.get(
            "/v1/manage/holds",
            use: administrator { request, _, _ in
                let age = try request.number("older_seconds", 0...31_536_000) ?? 0
                return JSONReply.results(try ledger.openHolds(olderThan: .seconds(age)))
            }
        )
    }

    private func refund(_ text: String, _ request: Request, _ caller: Caller) async throws -> Response {
        guard let id = InvocationID(text) else {
            throw ManageProblem.invalid(
                "id",
                text,
                "the id of a call, as X-Faasd-Call-Id and the usage records have it"
            )
        }
        let reason = try await Fields(request, known: ["reason"]).text("reason")
        try await ledger.refund(id, reason: reason, actor: caller.actor)
        guard let usage = try ledger.usage(id: id) else {
            throw ManageProblem(status: .notFound, type: "not_found", message: "there is no call \(text)", field: "id")
        }
        return JSONReply.make(
            .ok,
            Refunded(
                id: usage.id,
                account: usage.account,
                refunded_microcredits: usage.amountMicrocredits,
                balance: BalanceBody(try ledger.balance(of: usage.account))
            )
        )
    }
}
