"""WP12: leaves a little more behind with each call."""
import os

DEED = "leaves 24 MB in its heap, and then in /tmp and /dev/shm, with each of many calls to one warm worker"
EXPECTED = "the version's limit holds for all calls together; the full worker is replaced, between two calls or with a call that is free"
CLASS = "a slow leak"
OPTIONS = ("--memory", 128)
PIECE = 24 << 20
kept = []


def apply(where):
    if where == "heap":
        kept.append(b"x" * PIECE)
    else:
        with open(f"{where}/{len(os.listdir(where))}", "wb") as file:
            file.write(b"x" * PIECE)
    return len(kept)


def judge(outside):
    for where in ("heap", "/tmp", "/dev/shm"):
        before, failed, kept_at_once = outside.memory_bytes(), [], 0
        for _ in range(12):
            reply = outside.call(where)
            record = outside.usage(reply)
            outside.held(record["memory_peak_bytes"] <= 128 << 20, f"{where}: it had {record['memory_peak_bytes']} bytes")
            outside.held(record["outcome"] in ("ok", "memory-limit", "disk-limit", "algorithm-error"), f"{where}: {record}")
            if record["outcome"] != "ok":
                failed.append(reply)
            elif where == "heap":
                kept_at_once = max(kept_at_once, reply.result)
        outside.free(*failed)
        outside.held(kept_at_once * PIECE <= 128 << 20, f"{kept_at_once} pieces of {PIECE} bytes were kept below a limit of 128 MiB")
        outside.held(outside.memory_bytes() - before < 32 << 20, "the daemon's memory grew")
