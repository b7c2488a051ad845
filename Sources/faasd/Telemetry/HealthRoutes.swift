import Billing
import HTTPTypes
import Hummingbird
import Invoker
import NIOCore

/// `GET /healthz` for everybody, `GET /metrics` for administrators.
struct HealthRoutes: Sendable {
    let registry: PrometheusRegistry
    let invoker: Invoker
    let ledger: Ledger
    let auditWatch: AuditWatch
    let authenticator: Authenticator

    func add(to router: Router<EdgeContext>) {
        router.get("/healthz") { _, _ in
            // The words are in the log and the metrics; here, where everybody may ask, only that it is so.
            ledger.suspensionReason == nil
                ? Self.text("ok\n") : Self.text("ledger_audit_failed\n", status: .serviceUnavailable)
        }
        router.get("/metrics") { request, context in
            guard await authenticator.caller(request, context).isAdministrator else {
                return ManageProblem(
                    status: .unauthorized,
                    type: "AuthorizationError",
                    message: "/metrics needs an admin key, or the daemon's Unix socket"
                ).response
            }
            let pool = invoker.poolCounts
            let load = ledger.load
            return Self.text(
                invoker.metricsText
                    + registry.text(adding: [
                        ("faasd_workers", pool.seats), ("faasd_workers_idle", pool.idle),
                        ("faasd_blanks", invoker.blanks),
                        ("faasd_calls_waiting_for_worker", pool.waiting), ("faasd_calls_admitted", load.admitted),
                        ("faasd_calls_waiting_for_admission", load.waiting), ("faasd_ledger_queue", load.queued),
                        ("faasd_answer_bytes", invoker.answerBytes),
                        ("faasd_ledger_audit_failed", ledger.suspensionReason == nil ? 0 : 1),
                        ("faasd_ledger_audit_age_seconds", auditWatch.secondsSinceLastPass ?? -1),
                    ])
            )
        }
    }

    private static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
