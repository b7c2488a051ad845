"""RS8: prints without end."""
import os
import threading

DEED = "writes to standard output, to standard error and to both, with and without lines, until it is stopped"
EXPECTED = "a mebibyte is kept and the rest dropped; the timeout ends it, and the daemon's memory stays as it was"
CLASS = "exhaustion of the daemon's memory"
OPTIONS = ("--timeout", 1)
MIB = 1 << 20


def apply(order):
    descriptors, end = order

    def flood(descriptor):
        line = b"x" * 65_535 + end.encode()
        while True:
            os.write(descriptor, line)

    for descriptor in descriptors[1:]:
        threading.Thread(target=flood, args=(descriptor,), daemon=True).start()
    flood(descriptors[0])


def judge(outside):
    for descriptors, end in (([1], "\n"), ([2], "y"), ([1, 2], "\n")):
        before = outside.memory_bytes()
        with outside.watch(outside.memory_bytes) as seen:
            reply = outside.call([descriptors, end], query="?stdout=true")
        outside.failed(reply, "TimeoutError")
        kept = reply.metadata.get("stdout", "")
        outside.held(MIB // 2 < len(kept) <= MIB + 256, f"{len(kept)} bytes of log are kept")
        outside.held("log cut" in kept[-256:], "nothing says that the log was cut")
        outside.held(max(seen) - before < 32 * MIB, f"the daemon's memory grew by {max(seen) - before} bytes")
        outside.gone(within=0.5)
