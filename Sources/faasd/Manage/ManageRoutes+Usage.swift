import Billing
import Catalog
import HTTPTypes
import Hummingbird
import Invoker

extension ManageRoutes {
    func addUsage(_ router: Router<EdgeContext>) {
        router.get(
            "/v1/manage/usage",
            use: anyKey { request, _, caller in
                let limit = try request.query("limit").map { text in
                    guard let number = Int(text), (1...ledger.limits.usageRowsMax).contains(number) else {
                        throw ManageProblem.invalid(
                            "limit",
                            text,
                            "a whole number from 1 to \(ledger.limits.usageRowsMax)"
                        )
                    }
                    return number
                }
                let account = try request.query("account").map { try user($0).name } ?? caller.account
                if let account { try requireOwner(account, caller) }
                return JSONReply.results(try ledger.usage(account: account, limit: limit ?? 100))
            }
        )
        router.get(
            "/v1/manage/usage/:id",
            use: anyKey { _, context, caller in
                let text = context.parameters.get("id") ?? ""
                guard let id = InvocationID(text), let usage = try ledger.usage(id: id) else { throw noCall(text) }
                try requireOwner(usage.account, caller)
                return JSONReply.make(.ok, usage)
            }
        )
        router.get(
            "/v1/manage/usage/:id/explanation",
            use: anyKey { _, context, caller in
                let text = context.parameters.get("id") ?? ""
                let path = files.ledger
                guard let id = InvocationID(text), let usage = try ledger.usage(id: id) else { throw noCall(text) }
                try requireOwner(usage.account, caller)
                let found = try await onThread { () throws(LedgerError) in try Ledger.explain(path: path, id) }
                guard let found else { throw noCall(text) }
                return JSONReply.make(.ok, found)
            }
        )
    }

    private func noCall(_ text: String) -> ManageProblem {
        ManageProblem(
            status: .notFound,
            type: "not_found",
            message: "there is no call \(text)",
            field: "id",
            value: text
        )
    }

    /// Runs a handler for whoever has any valid key; the handler checks whose data it is.
    func anyKey(_ handler: @escaping Handler) -> @Sendable (Request, EdgeContext) async -> Response {
        authorized(handler) { _ in nil }
    }
}

extension Caller {
    /// The account of a key's owner; nil for administrators, who see all.
    fileprivate var account: String? {
        guard !isAdministrator, case .key(let key) = self else { return nil }
        return key.user
    }
}
