import Billing
import HTTPTypes
import Hummingbird
import Invoker
import NIOCore

/// `POST /v1/algo/OWNER/NAME[/SELECTOR]`: every call that `CallLane` leaves to the router.
struct CallRoutes: Sendable {
    let desk: CallDesk

    func add(to router: Router<EdgeContext>) {
        router.post("/v1/algo/**") { await call($0, $1) }
    }

    @Sendable private func call(_ request: Request, _ context: EdgeContext) async -> Response {
        let loop = context.channel.eventLoop
        do throws(CallProblem) {
            let caller = await desk.authenticator.caller(request, context)
            let order = try desk.order(request.uri, request.headers, by: caller)
            let room = desk.bodies.room(for: order.parties.account)
            let input = try await body(request, room)
            var call = try desk.request(order, input)
            if let key = try IdempotencyKey(request.headers) {
                let digest = key.digest(request, input)
                switch desk.invoker.claim(key.text, request: digest, account: order.parties.account) {
                case .run(let claim): call.claim = claim
                case .answered(let earlier, let reply): return again(reply, earlier, order).response(on: loop)
                case .refused(let reply): return desk.answer(reply, to: order).response(on: loop)
                }
            }
            if order.parameters.output == .void { return await begin(call, order, room).response(on: loop) }
            let reply = await desk.invoker.call(call)
            room.keepUntilHere()
            return desk.answer(reply, to: order).response(on: loop)
        } catch {
            let raw = request.uri.queryParameters["output"] == "raw"
            return CallAnswer(error.status, error.problem, InvocationID(), raw: raw).response(on: loop)
        }
    }

    private func again(_ reply: CallReply, _ earlier: InvocationID, _ order: CallOrder) -> CallAnswer {
        CallAnswer(
            again: reply,
            order.parameters,
            earlier,
            isOwner: order.isOwner,
            lowCredit: desk.lowCredit
        )
    }

    /// Answers once the call is let in, and lets it run on.
    private func begin(_ call: CallRequest, _ order: CallOrder, _ room: BodyBudget.Room) async -> CallAnswer {
        let refusal = await withCheckedContinuation { admission in
            // Unstructured: the call outlives its request. At the end of the daemon, the ledger waits for it.
            Task {
                let reply = await desk.invoker.call(call) { admission.resume(returning: $0) }
                room.keepUntilHere()
                desk.log(reply, order)
            }
        }
        return CallAnswer(begun: call.invocation, refusal)
    }

    private func body(_ request: Request, _ room: BodyBudget.Room) async throws(CallProblem) -> ByteBuffer {
        let most = desk.limits.inputBytesMax
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        do {
            guard announced <= most else { throw BodyBudget.Failure.tooLarge }
            return try await desk.bodies.collect(request.body, upTo: most, in: room)
        } catch BodyBudget.Failure.noRoom {
            throw CallProblem(
                .serviceUnavailable,
                "SystemError",
                "the server holds as many bodies as it may just now, all or this account's; try again in a second"
            )
        } catch BodyBudget.Failure.tooLarge {
            var problem = Envelope.Problem(
                message: "the input is larger than \(most) bytes, which is the most a call may send",
                type: "TooLargeError"
            )
            problem.figures = [("limit", .number(Int64(most)))]
            if announced > 0 { problem.figures.append(("value", .number(Int64(announced)))) }
            throw CallProblem(.contentTooLarge, problem)
        } catch { throw CallProblem(.badRequest, "SystemError", "the body could not be read to its end") }
    }
}
