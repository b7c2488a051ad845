"""WP3: replaces the runtime's own functions from within."""
import atexit
import gc
import json
import os
import sys

DEED = "replaces json, os.write, the reply object, the standard streams and the runtime's loop, each in turn"
EXPECTED = "its own answers suffer; others, and the account of it, do not"
CLASS = "changing the runtime"
WAYS = ("json", "write", "replies", "streams", "exit", "modules", "codec", "recursion")


def apply(way):
    if way == "json":
        json.dumps = json.encoder.JSONEncoder.encode = lambda *_, **__: '1},"metadata":{"request_id":"forged"'
    elif way == "write":
        os.write = lambda fd, data: len(data)
    elif way == "replies":
        for thing in gc.get_objects():
            if type(thing).__name__ == "Replies":
                thing.send = lambda kind, nonce, payload=b"", flags=0: os.write(4, b"\x5d\xfa" + bytes(14) + b"forged")
    elif way == "streams":
        sys.stdout = sys.stderr = None
        os.dup2(4, 1), os.dup2(4, 2)
        print_to = os.fdopen(1, "w")
        print_to.write("not a frame"), print_to.flush()
    elif way == "exit":
        atexit.register(lambda: os.write(4, b"forged"))
        sys.excepthook = sys.unraisablehook = lambda *_: os.write(4, b"forged")
        sys.exit(0)
    elif way == "modules":
        sys.modules.clear()
    elif way == "codec":
        for thing in gc.get_objects():
            if type(thing).__name__ == "function" and thing.__name__ in ("encode_result", "encode_as"):
                thing.__code__ = (lambda *_: (1, b'1},"metadata":{"request_id":"forged"')).__code__
    elif way == "recursion":
        sys.setrecursionlimit(20)
    return {"honest": way}


def judge(outside):
    for way in WAYS:
        reply = outside.call(way, query="?timeout=1")
        outside.held(reply.status == 200 and b"forged" not in reply.body, f"{way}: {reply.body[:200]!r}")
        record = outside.usage(reply)
        outside.held(record["outcome"] not in ("platform-fault", "ok") or reply.json.get("result") == {"honest": way},
                     f"{way}: {record['outcome']}, {reply.body[:200]!r}")
        outside.held(record["outcome"] in ("ok", "timeout-caller") or record["amount_microcredits"] == 0,
                     f"{way}: a failed call cost something")
        outside.answered(outside.call("none", outside.victim), {"honest": "none"})
