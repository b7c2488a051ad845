"""HT5: paths that mean something else to somebody else."""
import os

import wire

DEED = "climbs with dots, encoded dots and slashes, semicolons, NUL, backslashes and overlong UTF-8 in every part of a path"
EXPECTED = "nothing but the algorithm's own name reaches it; no management, no file, no status 500"
CLASS = "escaping by paths"
DOTS = ("..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", "..;", "..%5c", "..\\", "%u002e%u002e", "．．")
TARGETS = ("manage/users", "manage/keys", "manage/audit", "manage/accounts/victim/balance", "../../metrics", "metrics", "../etc/passwd")


def judge(outside):
    hidden = outside.daemon.deploy("echo", outside.victim, name="hidden", public=False)
    store = set(os.listdir(outside.daemon.state + "/store"))
    paths = [f"/v1/algo/{dots}/{target}" for dots in DOTS for target in TARGETS]
    paths += [f"/v1/algo/attacker/x/{dots}/{dots}/victim/hidden" for dots in DOTS]
    ends = ("", "/", "//", "/.", "/./", "%00", ";a=b", "%20", ".", "/latestPrivate", "/0.1.0")
    paths += [f"/v1/algo/{hidden}{end}" for end in ends]
    paths += ["/v1/algo", "/v1/algo/", "/v1/algo//", "//v1//manage//users", "/v1/manage/../manage/users", "/%76%31/manage/users",
              "/V1/MANAGE/USERS", "/v1/manage/users/", "/v1/algo/%", "/v1/algo/%zz/%f", "/v1/algo/" + "a/" * 5_000,
              "/v1/algo/" + "%2F" * 5_000,
              "*", "http://localhost/v1/manage/users", "/v1/manage/algorithms/..%2f..%2fvictim/hidden"]
    for path in paths:
        for method in (b"GET", b"POST"):
            head = b"%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n" % (method, path.encode(), outside.attacker.key.encode())
            said = outside.talk(head + b"Content-Type: text/plain\r\nContent-Length: 7\r\nConnection: close\r\n\r\nreached", timeout=3)
            status = said.split(b" ")[1:2]
            outside.held(said[:9] in (b"HTTP/1.1 ", b"HTTP/1.0 ") and status[0][:1] != b"5", f"{method} {path[:80]}: {said[:200]!r}")
            outside.held(status != [b"200"] or b'"EntityNotFoundError"' in said, f"{method} {path[:80]}: {said[:300]!r}")
            outside.held(b'"result' not in said and b"faasd_" not in said, f"{method} {path[:80]}: {said[-200:]!r}")
    outside.held(set(os.listdir(outside.daemon.state + "/store")) == store, "the store changed")
    reply = wire.ask(outside.daemon.port, "POST", f"/v1/algo/{hidden}", b"reached",
                     {"Authorization": outside.victim.key, "Content-Type": "text/plain"})
    outside.answered(reply, "reached")
