"""A network that loses replies and doubles requests, and clients that try again until they are answered."""
import concurrent.futures
import http.client
import json
import time

from harness import DaemonCase
from lossy import Lossy
from proof import IS_FULL, SEED, note
from wire import Unix, ask

TIMES = 20 if IS_FULL else 1
PAYMENTS, CALLS, CLIENTS = 200 * TIMES, 300 * TIMES, 8
TRIES_MAX = 20


def until_answered(proxy, *request):
    """Sends the same request until there is a reply; with an idempotency key, one that is not about its other runs."""
    for _ in range(TRIES_MAX):
        try:
            reply = ask(proxy.port, *request)
        except (OSError, http.client.HTTPException):
            continue
        if reply.status != 409:
            return reply
        time.sleep(0.05)
    raise AssertionError(f"{TRIES_MAX} replies in a row were lost, seed {SEED}")


class Lost(DaemonCase):
    def proxy(self, place):
        proxy = Lossy(place, SEED)
        self.addCleanup(proxy.close)
        return proxy

    def each(self, work, count):
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(work, range(count)))

    def test_a_payment_tried_until_it_is_answered_counts_once(self):
        proxy = self.proxy(Unix(self.daemon.socket_path))
        before = self.daemon.balance("author")["available_microcredits"]

        def pay(number):
            body = json.dumps({"credits": f"0.{number + 1:06}", "ref": f"payment {number}"}).encode()
            fields = {"Content-Type": "application/json"}
            return until_answered(proxy, "POST", "/v1/manage/accounts/author/top-ups", body, fields).status

        self.assertEqual(set(self.each(pay, PAYMENTS)), {201}, f"seed {SEED}")
        self.assertGreater(min(proxy.twice, proxy.lost), 0, "nothing went wrong")
        paid = self.daemon.balance("author")["available_microcredits"] - before
        self.assertEqual(paid, sum(range(1, PAYMENTS + 1)), f"seed {SEED}")
        self.daemon.audit()
        note("payments over a bad network", payments=PAYMENTS, requests=proxy.sent, doubled=proxy.twice, replies_lost=proxy.lost)

    def test_every_request_that_arrived_is_charged_once_whoever_heard_of_it(self):
        proxy, user = self.proxy(self.daemon.port), self.daemon.user("heard")

        def call(number):
            fields = {"Content-Type": "text/plain", "Authorization": user.key}
            return until_answered(proxy, "POST", f"/v1/algo/{self.echo}", str(number).encode(), fields)

        replies = self.each(call, CALLS)
        self.assertEqual([reply for reply in replies if reply.status != 200 or "result" not in reply.json], [])
        rows = self.daemon.ledger("SELECT hex(invocation), amount_ucr FROM usage JOIN account ON account.id = payer WHERE owner = 'heard'")
        charged = {name.lower(): amount for name, amount in rows}
        self.assertEqual((len(rows), len(charged)), (proxy.sent + proxy.twice,) * 2, f"seed {SEED}")
        said = {reply.call_id.replace("-", ""): reply.charge for reply in replies}
        self.assertEqual((len(said), {name: charged.get(name) for name in said}), (CALLS, said))
        self.assertEqual(self.daemon.balance("heard")["spent_microcredits"], sum(charged.values()))
        self.daemon.audit()
        note("calls without a key over a bad network", answered=CALLS, requests=proxy.sent, doubled=proxy.twice, replies_lost=proxy.lost,
             charged=len(charged))

    def test_with_a_key_every_call_is_charged_once_however_often_it_is_asked(self):
        proxy, user = self.proxy(self.daemon.port), self.daemon.user("keyed")

        def call(number):
            fields = {"Content-Type": "text/plain", "Authorization": user.key, "Idempotency-Key": f"call-{number}"}
            reply = until_answered(proxy, "POST", f"/v1/algo/{self.echo}", str(number).encode(), fields)
            return number, reply, ask(self.daemon.port, "POST", f"/v1/algo/{self.echo}", str(number).encode(), fields)

        answers = self.each(call, CALLS)
        rows = self.daemon.ledger("SELECT hex(invocation), amount_ucr FROM usage JOIN account ON account.id = payer WHERE owner = 'keyed'")
        charged = {name.lower(): amount for name, amount in rows}
        self.assertEqual((len(rows), len(charged)), (CALLS, CALLS), f"seed {SEED}: one charge for each key")
        for number, reply, again in answers:
            self.assert_result(reply, str(number))
            self.assertEqual(reply.charge, charged[reply.call_id.replace("-", "")])
            self.assertEqual((again.call_id, again.body, again.charge), (reply.call_id, reply.body, reply.charge))
        self.assertGreater(min(proxy.twice, proxy.lost), 0, "nothing went wrong")
        self.assertEqual(self.daemon.balance("keyed")["spent_microcredits"], sum(charged.values()))
        self.daemon.audit()
        note("calls with a key over a bad network", answered=CALLS, requests=proxy.sent, doubled=proxy.twice,
             replies_lost=proxy.lost, charged=len(charged))
