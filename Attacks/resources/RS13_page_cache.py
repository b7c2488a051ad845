"""RS13: reads files of the host again and again."""
import os
import time

DEED = "reads hundreds of megabytes of programs and libraries in a loop with four processes and little memory"
EXPECTED = "what it reads is counted and reclaimed in its own box; another tenant's cold start stays quick"
CLASS = "exhaustion of the page cache"
OPTIONS = ("--memory", 64, "--cpus", 2, "--timeout", 10)
MIB, SECONDS = 1 << 20, 1.5


def apply(_):
    end, done = time.monotonic() + SECONDS, 0
    for _ in range(3):
        if os.fork() == 0:
            break
    while time.monotonic() < end:
        for folder, _, names in os.walk("/usr"):
            for name in names:
                if time.monotonic() > end:
                    break
                try:
                    with open(os.path.join(folder, name), "rb", buffering=0) as file:
                        while piece := file.read(MIB):
                            done += len(piece)
                except OSError:
                    pass
    if os.getpid() != 1:
        os._exit(0)
    return done


def judge(outside):
    import threading
    replies = []
    beside = threading.Thread(target=lambda: replies.append(outside.call()))
    with outside.watch(outside.box_bytes) as seen:
        beside.start()
        time.sleep(SECONDS / 2)
        began = time.monotonic()
        cold = outside.daemon.call("passer/echo", "x", outside.victim)
        seconds = time.monotonic() - began
        beside.join()
    outside.held(cold.status == 200 and seconds < 2, f"another tenant's cold start took {seconds:.1f} s: {cold.body[:200]!r}")
    (reply,) = replies
    outside.held(reply.json.get("result", 0) > 32 * MIB, f"it read little: {reply.body[:200]!r}")
    # A sleeping box of the victim may be among those counted, hence its few mebibytes.
    outside.held(seen and max(seen) <= (64 + 32) * MIB, f"its box held {max(seen, default=0)} bytes")
