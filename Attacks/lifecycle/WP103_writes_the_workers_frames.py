"""WP103: a published algorithm that speaks for its worker."""

DEED = "opens the worker's descriptors through /proc, reads its memory for the nonce, and writes frames and garbage"
EXPECTED = "it cannot, or its call is a broken protocol; the receipt and other accounts are as they should be"
CLASS = "answers of a published algorithm"
SOURCE = """
import os, re, struct
def apply(way):
    seen = []
    for fd in range(3, 12):
        for mode in (os.O_WRONLY, os.O_RDONLY):
            try:
                opened = os.open(f"/proc/1/fd/{fd}", mode | os.O_NONBLOCK)
            except OSError as error:
                continue
            try:
                if mode == os.O_RDONLY:
                    if way == "steal" and fd == 3:
                        os.read(opened, 1 << 20)
                elif way == "garbage":
                    os.write(opened, b"garbage" * 1000)
                elif way == "frames":
                    for nonce in (0, *nonces()):
                        os.write(opened, struct.pack("<HBBIQ", 0xFA5D, 0x82, 1, 8, nonce) + b'"forged"')
            except OSError:
                pass
    return "honest"
def nonces():
    try:
        with open("/proc/1/maps") as maps, open("/proc/1/mem", "rb", 0) as memory:
            for line in maps:
                start, end = (int(one, 16) for one in line.split()[0].split("-"))
                if "rw" in line and end - start < 64 << 20:
                    memory.seek(start)
                    for found in re.finditer(b"\\\\x5d\\\\xfa\\\\x02.{13}", memory.read(end - start), re.DOTALL):
                        yield struct.unpack("<HBBIQ", found[0])[4]
    except OSError:
        pass
"""


def judge(outside):
    algorithm = outside.publish("speaks", SOURCE, "--royalty", 5000)
    for way in ("garbage", "frames", "steal", "frames"):
        reply = outside.call(way, outside.victim, "?timeout=2", algorithm)
        record = outside.usage(reply)
        outside.held(reply.status == 200 and record["outcome"] != "platform-fault", f"{way}: {reply.body[:200]!r}")
        outside.held(record["outcome"] in ("ok", "timeout-caller") or record["amount_microcredits"] == 0, f"{way}: {record}")
        outside.held(reply.charge == record["amount_microcredits"], f"{way}: the receipt is not the record")
        after = outside.call("none", outside.attacker, "?timeout=2", algorithm)
        outside.answered(after, "honest")
