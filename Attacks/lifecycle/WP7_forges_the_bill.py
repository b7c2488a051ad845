"""WP7: says things about its own bill."""
import sys

DEED = "prints bills, returns receipts and envelopes, raises the platform's own errors, exits with 0 after a failure"
EXPECTED = "the record has the daemon's own measure and reason, once; a failure is free, a good result is not"
CLASS = "forging the account"
OPTIONS = ("--royalty", 5000)
FORGED = {"result": 1, "metadata": {"duration": 0, "request_id": "forged"}, "charge": 0, "amount_microcredits": 0}


class Forged(Exception):
    def __init__(self, kind):
        super().__init__('x"},"metadata":{"duration":0}}')
        self.error_type = kind


def apply(way):
    line = f'2030-01-01T00:00:00 error faasd: call={way} charge=-1000000\r\nBILL attacker -1000000\x1b[2J\n'
    for stream in (sys.stdout, sys.stderr):
        stream.write(line)
    if way == "returns":
        return FORGED
    if way == "exits":
        try:
            raise Forged("SystemError")
        except Forged:
            sys.exit(0)
    raise Forged(way)


def judge(outside):
    before = outside.daemon.balance(outside.victim.name)["available_microcredits"]
    good = outside.call("returns", outside.victim)
    outside.answered(good, FORGED)
    outside.held(outside.usage(good)["amount_microcredits"] > 5000, "a good result was not charged")
    for way, outcome in (("exits", "exit"), ("SystemError", "algorithm-error"), ("PaymentRequiredError", "algorithm-error"),
                         ("TimeoutError", "algorithm-error"), ("OutOfMemoryError", "algorithm-error")):
        reply = outside.call(way, outside.victim)
        outside.free(reply)
        outside.held(outside.usage(reply)["outcome"] == outcome, f"{way} is recorded as {outside.usage(reply)['outcome']}")
        outside.held(reply.status == 200 and set(reply.json) == {"error", "metadata"}, f"{way}: {reply.body[:200]!r}")
        outside.held(reply.json["metadata"]["request_id"] == reply.call_id, f"{way}: the id is forged")
    paid = before - outside.daemon.balance(outside.victim.name)["available_microcredits"]
    outside.held(paid == good.charge, f"the victim paid {paid}, the receipts say {good.charge}")
    outside.held("BILL" not in outside.daemon.log_text(), "what it printed is in the daemon's log")
