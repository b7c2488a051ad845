"""RS1: takes memory without end."""
DEED = "allocates and fills memory until something stops it"
EXPECTED = "the box is ended at its limit, free; the host's memory does not notice, and the time until then is metered"
CLASS = "exhaustion of memory"
OPTIONS = ("--memory", 64, "--timeout", 5)
MIB = 1 << 20


def apply(_):
    blocks = []
    while True:
        blocks.append(bytearray(b"x") * (4 * MIB))


def judge(outside):
    available = outside.host_kilobytes("MemAvailable")
    with outside.watch(outside.box_bytes, every=0.002) as seen, outside.watch(lambda: outside.host_kilobytes("MemAvailable")) as host:
        reply = outside.call()
    seconds = outside.gone()
    outside.failed(reply, "OutOfMemoryError")
    outside.free(reply)
    outside.held(seconds < 0.5, f"processes were there for {seconds:.3f} s")
    outside.held(seen and max(seen) <= 64 * MIB, f"its box held {max(seen, default=0)} bytes")
    outside.held(available - min(host) < 1_000_000, f"the host's memory fell by {available - min(host)} KiB")
    outside.held(outside.metered(reply) > 1_000, f"filling 64 MiB was metered with {outside.metered(reply)} us")
