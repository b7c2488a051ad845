"""HT16: doors that are for administrators."""
import json

import wire

DEED = "asks for metrics, debugging and management without a key and with lesser keys, and invents names for the metrics"
EXPECTED = "401, 403 or 404 everywhere; the metrics do not grow with the names that strangers invent"
CLASS = "doors left open"
DOORS = (("GET", "users"), ("POST", "users"), ("GET", "users/victim"), ("POST", "keys"), ("GET", "keys"), ("DELETE", "keys/1"),
         ("POST", "accounts/attacker/top-ups"), ("PUT", "quotas"), ("GET", "quotas"), ("DELETE", "quotas?scope=account:victim&metric=x"),
         ("GET", "quotas/explain?account=victim"), ("POST", "audit"), ("GET", "accounts/victim/balance"), ("GET", "usage?account=victim"))
NOWHERE = ("/debug", "/debug/pprof", "/admin", "/status", "/env", "/actuator", "/.git/config", "/v1", "/v1/manage", "/v2/manage/users",
           "/metrics/", "/server-status", "/v1/manage/debug")


def judge(outside):
    keys = {kind: outside.daemon.key(outside.attacker.name, kind) for kind in ("algorithm", "management", "admin")}
    outside.daemon.must("key", "revoke", keys["admin"]["id"])
    body = json.dumps({"name": "mallory", "user": "attacker", "kind": "admin", "credits": "1", "ref": "mallory",
                       "scope": "account:victim", "metric": "spend_day_microcredits", "limit": 0}).encode()
    for kind, key in (("none", None), ("wrong", "sim" + "a" * 25), *((kind, key["key"]) for kind, key in keys.items())):
        headers = {"Authorization": key} if key else {}
        for method, path in DOORS:
            reply = outside.request(method, f"/v1/manage/{path}", body if method in ("POST", "PUT") else None, headers)
            outside.held(reply.status in (401, 403), f"{kind} key, {method} {path}: {reply.status} {reply.body[:200]!r}")
        for method in ("GET", "POST", "HEAD", "OPTIONS", "TRACE", "PUT"):
            status = outside.request(method, "/metrics", headers=headers).status
            outside.held(status in (401, 403, 404, 405), f"{kind} key, {method} /metrics: {status}")
        for path in NOWHERE:
            status = outside.request("GET", path, headers=headers).status
            outside.held(status in (401, 403, 404), f"{kind} key, {path}: {status}")
    metrics = [len(measured(outside))]
    for number in range(300):
        outside.call("x", algorithm=f"nobody{number}/nothing{number}/{number}.0.0", query=f"?key{number}=1")
        outside.request("GET", f"/v1/nothing{number}")
    metrics.append(len(measured(outside)))
    outside.held(metrics[1] - metrics[0] < 10, f"300 invented names made {metrics[1] - metrics[0]} more series")


def measured(outside):
    return wire.ask(wire.Unix(outside.daemon.socket_path), "GET", "/metrics").body.splitlines()
