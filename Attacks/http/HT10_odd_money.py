"""HT10: numbers that are no money."""
import json

from archives import APPLY, archive

DEED = "tops up, limits, prices and deploys with negative, huge, fractional and nameless numbers, as text and as JSON"
EXPECTED = "each is refused with 400; no balance changes, and the audit agrees"
CLASS = "arithmetic on money"
NUMBERS = ("-1", "-0.000001", "1e400", "1e3", "NaN", "Infinity", "9223372036854775807", "9223372036854775808", "18446744073709551616",
           "0x10", "1,5", "1.0000001", "+1", " 1", "1 ", "", "null", "true", "1" * 400, "0.1.1", "1_000")


def judge(outside):
    daemon, name = outside.daemon, outside.attacker.name
    before = daemon.balance(name)
    for index, number in enumerate(NUMBERS):
        refused(outside, "POST", f"accounts/{name}/top-ups", '{"credits": %s, "ref": "odd-%d"}' % (json.dumps(number), index))
        refused(outside, "POST", f"accounts/{name}/top-ups", '{"credits": %s, "ref": "odd-%d"}' % (number or '""', index))
        body = '{"scope": "account:%s", "metric": "spend_day_microcredits", "limit": %s}'
        refused(outside, "PUT", "quotas", body % (name, number.strip() or '""')) if number not in (" 1", "1 ", "1e3") else None
        refused(outside, "PUT", "quotas", body % (name, json.dumps(number)))
        for key in ("royalty", "memory", "cpus", "timeout"):
            if number.strip() == number and "+" not in number:
                reply = daemon.post_archive("attacker/odd", archive({"main.py": APPLY}), f"?{key}={number}")
                outside.held(reply.status == 400, f"{key}={number[:40]!r}: {reply.status} {reply.body[:200]!r}")
    for seconds in ("0", "-1", "3001", "9223372036854775808", "1e3", "1.5", "NaN", "0x1", "%20", "1%00"):
        reply = outside.call("x", query=f"?timeout={seconds}", algorithm="passer/echo")
        outside.held(reply.status == 400, f"timeout={seconds}: {reply.status} {reply.body[:200]!r}")
    outside.held(daemon.balance(name) == before, f"the balance was {before}, and is {daemon.balance(name)}")
    outside.held(not daemon.manage("GET", f"/v1/manage/quotas?scope=account:{name}").json["results"], "a quota was set")
    daemon.audit()


def refused(outside, method, path, body):
    reply = outside.daemon.manage(method, f"/v1/manage/{path}", body.encode())
    outside.held(reply.status == 400, f"{body[:120]}: {reply.status} {reply.body[:200]!r}")
