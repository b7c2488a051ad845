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
    let authenticator: Authenticator

    func add(to router: Router<EdgeContext>) {
        router.get("/healthz") { _, _ in Self.text("ok\n") }
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
                registry.text(adding: [
                    ("faasd_workers", pool.seats), ("faasd_workers_idle", pool.idle),
                    ("faasd_calls_waiting_for_worker", pool.waiting), ("faasd_calls_admitted", load.admitted),
                    ("faasd_calls_waiting_for_admission", load.waiting), ("faasd_ledger_queue", load.queued),
                    ("faasd_answer_bytes", invoker.answerBytes),
                ])
            )
        }
    }

    private static func text(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
