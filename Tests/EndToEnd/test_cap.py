"""A cap of 100 credits against thousands of parallel calls: it holds whenever it is looked at, and is used up.

10,000 in `make test-ledger` (FAASD_PROOF=full), a part of them in `make test`.
"""
import asyncio
import json
import resource
import threading
import time
import unittest

from harness import DaemonCase
from proof import IS_FULL, note

CALLS = 10_000 if IS_FULL else 2_500
CAP = 100_000_000


def setUpModule():
    """Room for all the connections; the daemon makes its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= 2 * CALLS, f"{CALLS} calls at once take {2 * CALLS} open files, here {hard} are allowed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    unittest.addModuleCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))


async def post(connecting, ready, port, path, body, key):
    """One call on a connection of its own: status, receipt in microcredits (0 without) and error."""
    async with connecting:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await ready()
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {key}\r\nContent-Type: text/plain\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    charge = int(fields.get("x-faasd-charge-microcredits", 0))
    return int(lines[0].split()[1]), charge, json.loads(body).get("error")


async def together(count, at_once, again, *call):
    """So many calls, so many of them open at a time; the first of them are sent when all of these are connected.

    One that was refused, and cost nothing, is made again as long as `again()`.
    """
    places, connecting = asyncio.Semaphore(at_once), asyncio.Semaphore(500)
    connected, begun = 0, asyncio.Event()

    async def ready():
        nonlocal connected
        connected += 1
        if connected == at_once:
            begun.set()
        await begun.wait()

    async def one():
        async with places:
            reply = await post(connecting, ready, *call)
            while reply[2] and not reply[1] and again():
                reply = await post(connecting, ready, *call)
            return reply

    return await asyncio.gather(*(one() for _ in range(count)))


class Watch:
    """Reads the balance all the time: what is spent and held must never pass the cap."""

    def __init__(self, daemon, user):
        self.daemon, self.user, self.done, self.seen = daemon, user, threading.Event(), []
        self.failure = None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.done.is_set():
                balance = self.daemon.balance(self.user)
                self.seen.append((balance["spent_microcredits"], balance["held_microcredits"]))
                time.sleep(0.02)
        except BaseException as failure:
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        if self.failure:
            raise self.failure


class CapCase(DaemonCase):
    def run_calls(self, algorithm, user, at_once, timeout, body, until=0):
        """Refused calls are made again until so much is spent, for two minutes at most."""
        path = f"/v1/algo/{algorithm}?timeout={timeout}"
        end = time.monotonic() + 120
        with Watch(self.daemon, user.name) as watch:
            def again():
                return time.monotonic() < end and (not watch.seen or watch.seen[-1][0] < until)

            replies = asyncio.run(together(CALLS, at_once, again, self.daemon.port, path, body, user.key))
        self.assertEqual(len(replies), CALLS)
        self.assertGreater(len(watch.seen), 5)
        self.assertTrue(any(held for _, held in watch.seen), "nobody looked while a call ran")
        for spent, held in watch.seen:
            self.assertLessEqual(spent, CAP)
            self.assertLessEqual(spent + held, CAP)
        return replies

    def assert_spent_is(self, user, amount):
        rows = self.daemon.ledger("SELECT total(amount_ucr) FROM usage JOIN account ON account.id = payer WHERE owner = ?",
                                  user.name)
        self.assertEqual(rows, [(amount,)])
        balance = self.daemon.balance(user.name)
        self.assertEqual((balance["spent_microcredits"], balance["held_microcredits"]), (amount, 0))
        self.daemon.audit()


class OneCreditPerCall(CapCase):
    config = {"prices": {"compute_picocredits_per_microsecond": 0, "call_microcredits": 1_000_000},
              "connections": CALLS + 50, "limits": {"workers": 8}}

    def test_of_thousands_of_parallel_calls_exactly_100_run(self):
        sleeps = self.daemon.deploy("sleeps", self.author)
        for name, credits in (("by_quota", "100000"), ("by_balance", "100")):
            with self.subTest(name):
                user = self.daemon.user(name, credits=credits)
                # All of them may run at once; who waits for a place among the concurrent calls is refused after 5 s.
                self.daemon.must("quota", "set", f"account:{name}", "concurrent_calls", 100)
                if name == "by_quota":
                    self.daemon.must("quota", "set", f"account:{name}", "spend_month_microcredits", CAP)
                replies = self.run_calls(sleeps, user, CALLS, 60, "0.2")
                ran = [reply for reply in replies if reply[2] is None]
                self.assertEqual([reply[:2] for reply in ran], [(200, 1_000_000)] * 100)
                # Nobody is refused for another reason than money, or that too many wait for it.
                others = {error["error_type"] for _, _, error in replies if error}
                self.assertLessEqual(others, {"PaymentRequiredError", "QuotaExceededError"})
                self.assert_spent_is(user, CAP)
                note(f"cap of 100 credits, 1 credit a call ({name.replace('_', ' ')})", calls=CALLS, ran=len(ran), refused=CALLS - len(ran))


class ByTheSecond(CapCase):
    """10 credits a second, and calls of 20 ms that may take 2 s: each is held for a hundred times its price."""

    config = {"prices": {"compute_picocredits_per_microsecond": 10_000_000}, "connections": 1000}

    def test_of_thousands_of_calls_all_but_less_than_one_price_is_spent_and_no_more(self):
        user = self.daemon.user("timed", credits="100000")
        self.daemon.must("quota", "set", "account:timed", "spend_month_microcredits", CAP)
        sleeps = self.daemon.deploy("sleeps", self.author)
        # Who waits for credit that others hold until his time is over is refused, and comes again. No call costs less
        # than 200,000 microcredits, unless credit for less was left.
        replies = self.run_calls(sleeps, user, CALLS // 25, 2, "0.02", until=CAP - 200_000)
        charges = sorted(charge for _, charge, _ in replies if charge)
        self.assert_spent_is(user, sum(charges))
        self.assertGreater(len(charges), 100)
        self.assertGreaterEqual(sum(charges), CAP - charges[-1], charges[-5:])
        note("cap of 100 credits, 10 credits a second", calls=CALLS, charged=len(charges), microcredits=sum(charges),
             dearest=charges[-1])
