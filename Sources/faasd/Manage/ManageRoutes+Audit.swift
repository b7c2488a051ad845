import Billing
import Foundation
import HTTPTypes
import Hummingbird
import Invoker

extension ManageRoutes {
    private struct Wish: Decodable {
        var heads: [SignedHead]?
    }

    func addAudit(_ router: Router<EdgeContext>) {
        router.post(
            "/v1/manage/audit",
            use: administrator { request, _, _ in
                let wish = try await auditWish(request)
                let path = files.ledger
                let report = try await onThread { () throws(LedgerError) in try Ledger.audit(path: path, wish) }
                // Heads are the asker's claim: what they say may be wrong without the ledger being so.
                if wish.heads.isEmpty {
                    auditWatch.judge(report, isWhole: wish.scope == .everything && wish.fromBlock <= 1)
                }
                return JSONReply.make(.ok, report)
            }
        )
        router.get(
            "/v1/manage/audit/head",
            use: administrator { _, _, _ in
                let (path, key) = (files.ledger, headKey)
                let head = try await onThread { () throws(LedgerError) in try Ledger.head(path: path, key: key) }
                guard let head else {
                    throw ManageProblem(status: .notFound, type: "not_found", message: "the ledger has no block yet")
                }
                return JSONReply.make(.ok, head)
            }
        )
    }

    /// `?scope=` and `?from_block=`, and heads exported before in the body, if there is one.
    private func auditWish(_ request: Request) async throws -> AuditWish {
        let name = request.query("scope") ?? AuditWish.Scope.everything.rawValue
        guard let scope = AuditWish.Scope(rawValue: name) else {
            throw ManageProblem.invalid("scope", name, AuditWish.Scope.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let block = request.query("from_block") ?? "1"
        guard let fromBlock = Int64(block), fromBlock >= 1 else {
            throw ManageProblem.invalid("from_block", block, "a whole number from 1")
        }
        var heads: [SignedHead] = []
        if request.headers[.contentType] == "application/json" {
            heads = try await JSONReply.read(Wish.self, request).heads ?? []
        }
        return AuditWish(scope, fromBlock: fromBlock, heads: heads, trustedKey: headKey.publicKey)
    }

    /// Runs blocking work on a thread that may block.
    func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws(LedgerError) -> Value) async throws -> Value {
        try await invoker.onThread { Result { () throws(LedgerError) in try work() } }.get()
    }
}
