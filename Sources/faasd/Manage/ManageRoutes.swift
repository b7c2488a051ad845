import Billing
import Catalog
import Hummingbird
import Invoker
import Logging

/// The management API: what `faasctl` speaks, under `/v1/manage`.
struct ManageRoutes: Sendable {
    let catalog: Catalog
    let ledger: Ledger
    let builder: Builder
    let invoker: Invoker
    let store: VersionStore
    let authenticator: Authenticator
    let limits: Limits
    let bodies: BodyBudget
    let files: LedgerFiles
    let headKey: HeadKey
    let auditWatch: AuditWatch
    let logger: Logger

    func add(to router: Router<EdgeContext>) {
        addUsers(router)
        addKeys(router)
        addAccounts(router)
        addCredit(router)
        addGrants(router)
        addAlgorithms(router)
        addQuotas(router)
        addUsage(router)
        addAudit(router)
        addBackups(router)
    }

    typealias Handler = @Sendable (Request, EdgeContext, Caller) async throws -> Response

    /// Runs a handler for administrators only, and turns its errors into answers.
    func administrator(_ handler: @escaping Handler) -> @Sendable (Request, EdgeContext) async -> Response {
        authorized(handler) { caller in
            caller.isAdministrator ? nil : "this needs an admin key, or the daemon's Unix socket as root or its user"
        }
    }

    /// Runs a handler for administrators and holders of a management key.
    func manager(_ handler: @escaping Handler) -> @Sendable (Request, EdgeContext) async -> Response {
        authorized(handler) { caller in
            if caller.isAdministrator { return nil }
            if case .key(let key) = caller, key.kind == .management { return nil }
            return "this needs a management or admin key, or the daemon's Unix socket as root or its user"
        }
    }

    func authorized(
        _ handler: @escaping Handler,
        _ refusal: @escaping @Sendable (Caller) -> String?
    ) -> @Sendable (Request, EdgeContext) async -> Response {
        { request, context in
            let caller = await authenticator.caller(request, context)
            if let problem = Self.refuse(caller, refusal) { return problem.response }
            do {
                return try await handler(request, context, caller)
            } catch {
                let problem = ManageProblem.from(error)
                if problem.status.kind == .serverError {
                    logger.error(
                        "management request failed",
                        metadata: ["path": "\(request.uri.path)", "error": "\(error)"]
                    )
                }
                return problem.response
            }
        }
    }

    private static func refuse(_ caller: Caller, _ refusal: (Caller) -> String?) -> ManageProblem? {
        switch caller {
        case .nobody:
            return ManageProblem(
                status: .unauthorized,
                type: "AuthorizationError",
                message: "authorization required: send Authorization: KEY"
            )
        case .unknownKey:
            return ManageProblem(
                status: .unauthorized,
                type: "AuthorizationError",
                message: "Unknown or invalid API key."
            )
        default:
            return refusal(caller).map { ManageProblem(status: .forbidden, type: "AuthorizationError", message: $0) }
        }
    }

    /// A manager acts on its own algorithms only, an administrator on all.
    func requireOwner(_ owner: String, _ caller: Caller) throws(ManageProblem) {
        if caller.isAdministrator { return }
        if case .key(let key) = caller, key.user.lowercased() == owner.lowercased() { return }
        throw ManageProblem(
            status: .forbidden,
            type: "AuthorizationError",
            message: "\(caller.actor) may not see or manage what belongs to \(owner)",
            field: "owner",
            value: owner
        )
    }

    func user(_ name: String) throws(ManageProblem) -> User {
        guard let user = catalog.user(named: name) else {
            throw ManageProblem(
                status: .notFound,
                type: "not_found",
                message: "there is no user \(name); make one with: faasctl user create \(name)",
                field: "user",
                value: name
            )
        }
        return user
    }
}
