"""HT7: SQL where values belong."""
from urllib.parse import quote

DEED = "puts quotes, comments, wildcards, NUL and numbers out of range into every field that a database sees"
EXPECTED = "each is a value that names nothing: 4xx, or an empty list; no row of another account, no status 500"
CLASS = "injection"
VALUES = ("' OR 1=1--", "'; DROP TABLE usage;--", '" OR ""="', "%", "_", "victim' --", "victim\0", "x' UNION SELECT * FROM key--",
          "\\", "1e308", "-1", "9223372036854775808", "0x10", "NaN", "1;2", "()", "victim%00", "*", "account:' OR 1=1--")


def judge(outside):
    daemon = outside.daemon
    keys = [daemon.key(outside.attacker.name, kind)["key"] for kind in ("algorithm", "management")]
    known = outside.call(b"", outside.victim, algorithm="passer/echo").call_id
    tables = daemon.ledger("SELECT count(*) FROM sqlite_master")
    for value in VALUES:
        said = quote(value, safe="")
        for path in (f"usage?account={said}", f"usage?limit={said}", f"usage/{said}", f"accounts/{said}/balance", f"usage?order={said}",
                     f"algorithms?owner={said}", f"algorithms/{said}/{said}", f"algorithms/attacker/{said}/versions/{said}/lock"):
            for key in keys:
                reply = daemon.manage("GET", f"/v1/manage/{path}", key=key)
                outside.held(reply.status < 500 and known.encode() not in reply.body, f"{path}: {reply.status} {reply.body[:300]!r}")
                outside.held(b'"victim"' not in reply.body, f"{path}: {reply.body[:300]!r}")
            reply = daemon.manage("GET", f"/v1/manage/{path}")
            outside.held(reply.status < 500, f"{path} as root: {reply.status} {reply.body[:300]!r}")
        for method, path, body in (("PUT", "quotas", {"scope": value, "metric": value, "limit": 1}), ("DELETE", f"keys/{said}", None),
                                   ("DELETE", f"quotas?scope={said}&metric={said}", None),
                                   ("POST", "keys", {"user": value, "kind": value}),
                                   ("DELETE", f"algorithms/{said}/{said}", None)):
            reply = daemon.manage(method, f"/v1/manage/{path}", body)
            outside.held(400 <= reply.status < 500, f"{method} {path} {body}: {reply.status} {reply.body[:300]!r}")
        if value.isprintable():
            reply = outside.request("GET", "/v1/manage/usage", headers={"Authorization": value})
            outside.held(reply.status == 401, f"the key {value!r}: {reply.status}")
    outside.held(daemon.ledger("SELECT count(*) FROM sqlite_master") == tables, "the tables changed")
