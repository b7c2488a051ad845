import Billing
import Catalog
import HTTPTypes
import Hummingbird

extension ManageRoutes {
    func addAccounts(_ router: Router<EdgeContext>) {
        router.get(
            "/v1/manage/accounts",
            use: administrator { request, _, _ in
                let states = ["open", "frozen", "closed"]
                if let state = request.query("state"), !states.contains(state) {
                    throw ManageProblem.invalid("state", state, "one of \(states.joined(separator: ", "))")
                }
                let limit = try request.number("limit", 1...Int64(ledger.limits.usageRowsMax)) ?? 100
                let accounts = try ledger.accounts(
                    after: request.query("after") ?? "",
                    state: request.query("state"),
                    limit: Int(limit)
                )
                return JSONReply.results(accounts)
            }
        )
        router.get(
            "/v1/manage/accounts/:name",
            use: ofOwner { _, account, _ in JSONReply.make(.ok, try ledger.account(account)) }
        )
        router.get(
            "/v1/manage/accounts/:name/earnings",
            use: ofOwner { _, account, _ in JSONReply.make(.ok, try ledger.earnings(of: account)) }
        )
        for (verb, change) in [("freeze", AccountChange.freeze), ("unfreeze", .unfreeze), ("close", .close)] {
            router.post(
                "/v1/manage/accounts/:name/\(verb)",
                use: administrator { request, context, caller in
                    let fields = try await Fields(request, known: ["reason", "if_rev"])
                    return try await self.change(change, of: try name(context), as: fields, caller)
                }
            )
        }
        router.put(
            "/v1/manage/accounts/:name/overdraft",
            use: administrator { request, context, caller in
                let fields = try await Fields(request, known: ["credits", "reason", "if_rev"])
                let line = try fields.credits("credits", .zeroOrMore)
                return try await change(.overdraft(line), of: try name(context), as: fields, caller)
            }
        )
    }

    private func change(
        _ change: AccountChange,
        of account: String,
        as fields: Fields,
        _ caller: Caller
    ) async throws -> Response {
        try await ledger.change(
            account,
            change,
            ifRev: try fields.revision(),
            reason: try fields.optionalText("reason") ?? "",
            actor: caller.actor
        )
        return JSONReply.make(.ok, try ledger.account(account))
    }

    /// The account of a route, in its owner's own spelling.
    func name(_ context: EdgeContext) throws(ManageProblem) -> String {
        try user(context.parameters.get("name") ?? "").name
    }

    /// Runs a handler for an account's owner, with any of its keys, and for administrators.
    func ofOwner(
        _ handler: @escaping @Sendable (Request, String, Caller) async throws -> Response
    ) -> @Sendable (Request, EdgeContext) async -> Response {
        anyKey { request, context, caller in
            let account = try name(context)
            try requireOwner(account, caller)
            return try await handler(request, account, caller)
        }
    }
}
