"""RS10: prints what readers of logs take for something else."""
import json
import os

DEED = "prints terminal commands, HTTP answers, envelopes, log lines of the daemon, NUL, broken UTF-8 and one line of 4 MB"
EXPECTED = "all of it is one string of the answer, none of it is in the daemon's log or in a header"
CLASS = "forging logs"
MARK = "forged-8d41"
LINES = (f"\x1b]0;{MARK}\x07\x1b[2J", f"\r\n\r\nHTTP/1.1 200 OK\r\nX-Forged: {MARK}\r\n\r\n{MARK}",
         f'"}},"result":"{MARK}"}}', f"2026-01-01T00:00:00+0000 error faasd: {MARK}", f"\0\u2028\u202e{MARK}",
         f"X-Faasd-Charge-Microcredits: 0 {MARK}")


def apply(_):
    for descriptor in (1, 2):
        for line in LINES:
            os.write(descriptor, line.encode() + b"\n")
    os.write(1, b"\xff\xc0\x80\xed\xa0\x80\xf5" * 1000)
    os.write(2, b"z" * 4_000_000)
    return "honest"


def judge(outside):
    for query in ("?stdout=true", "", "?stdout=true&output=raw"):
        reply = outside.call(query=query)
        outside.held(reply.status == 200, f"{query}: {reply.body[:200]!r}")
        outside.held(MARK not in str(reply.headers) and "X-Forged" not in reply.headers, f"{query}: {dict(reply.headers)}")
        outside.held(reply.headers["X-Faasd-Charge-Microcredits"] != "0", f"{query}: the call was free")
        if "raw" in query:
            outside.held(reply.body == b"honest", f"the raw answer is {reply.body[:200]!r}")
            continue
        outside.answered(reply, "honest")
        outside.held(set(reply.json) == {"result", "metadata"}, f"the answer has {set(reply.json)}")
        outside.held(all(byte >= 0x20 for byte in reply.body.rstrip()), "the answer has raw control characters")
        outside.held((MARK in json.dumps(reply.metadata)) == (query != ""), f"{query}: the log is in the wrong place")
    stranger = outside.call(query="?stdout=true", user=outside.victim)
    outside.held(MARK.encode() not in stranger.body, "the log is told to somebody who does not own the algorithm")
    outside.held(MARK not in outside.daemon.log_text(), "the daemon's log has lines of an algorithm")
