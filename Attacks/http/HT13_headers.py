"""HT13: headers of others, and answers that end the head."""

DEED = "sends the headers of administrators and of other accounts; answers with line breaks, heads and envelopes of its own"
EXPECTED = "they change neither who pays nor what is allowed; nothing of an answer leaves its body"
CLASS = "splitting and spoofing"
SPLIT = '\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nX-Faasd-Charge-Microcredits: 0\r\n\r\n{"result":"forged"}'
SPOOFED = {"X-Faasd-Account": "victim", "X-Faasd-User": "admin", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "root",
           "Forwarded": "for=127.0.0.1", "Host": "localhost:1", "X-Original-URL": "/v1/manage/users", "X-HTTP-Method-Override": "DELETE",
           "X-Rewrite-URL": "/metrics", "Connection": "X-Faasd-Account, Authorization", "Cookie": "key=1", "X-Faasd-Call-Id": "forged",
           "X-Faasd-Charge-Microcredits": "0"}


class Split(Exception):
    error_type = SPLIT


def apply(way):
    if way == "raise":
        raise Split(SPLIT)
    return SPLIT if way == "text" else {SPLIT: SPLIT}


def judge(outside):
    for way in ("text", "json", "raise"):
        for query in ("", "?output=raw", "?timing=true"):
            reply = outside.call(way, query=query)
            for name, value in reply.headers.items():
                outside.held(name.lower() not in ("set-cookie",) and "\n" not in value and "forged" not in value, f"{name}: {value!r}")
            outside.held(int(reply.headers["Content-Length"]) == len(reply.body), f"{way}{query}: the body has another length")
            outside.held(len(reply.headers.get_all("X-Faasd-Charge-Microcredits")) == 1, "there are two charges")
            outside.held(query == "?output=raw" or set(reply.json) <= {"result", "error", "metadata"}, f"{reply.body[:200]!r}")
    victims = outside.daemon.balance(outside.victim.name)
    for name, value in SPOOFED.items():
        key = {"Authorization": outside.attacker.key, "Content-Type": "text/plain", name: value}
        reply = outside.request("POST", f"/v1/algo/{outside.algorithm}", b"text", key)
        outside.answered(reply, SPLIT)
        outside.held(outside.usage(reply)["account"] == outside.attacker.name, f"{name}: {outside.usage(reply)}")
        outside.held(reply.call_id != "forged", f"{name}: the id is the caller's")
        for path in ("/v1/manage/users", "/metrics", "/v1/manage/accounts/victim/balance"):
            for headers in (key, {name: value}):
                status = outside.request("GET", path, headers=headers).status
                outside.held(status in (401, 403), f"{name} opens {path}: {status}")
        reply = outside.request("POST", f"/v1/algo/{outside.algorithm}", b"text", {name: value, "Content-Type": "text/plain"})
        outside.failed(reply, "AuthorizationError")
    outside.held(outside.daemon.balance(outside.victim.name) == victims, "the victim paid")
