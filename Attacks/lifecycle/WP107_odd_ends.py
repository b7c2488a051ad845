"""WP107: reports ends that no process can have."""

DEED = "answers that its child ended with statuses beyond every range, with none, with too long ones, and twice"
EXPECTED = "each is the code's own failure, free; the daemon goes on"
CLASS = "a hostile peer of the protocol"
SOURCE = """
import os, struct, sys, time
def apply(task):
    payload, flags, times = bytes.fromhex(task[0]), task[1], task[2]
    here = sys._getframe()
    while "nonce" not in here.f_locals:
        here = here.f_back
    os.write(4, (struct.pack("<HBBIQ", 0xFA5D, 0x85, flags, len(payload), here.f_locals["nonce"]) + payload) * times)
    time.sleep(60)
"""
STATUSES = ("00000080", "ffffff7f", "ffffffff", "e1ffffff", "e8ffffff", "00000000", "", "00", "0000000000", "00" * 5_000)


def judge(outside):
    algorithm = outside.deploy("odd", {"main.py": SOURCE})
    for status in STATUSES:
        for flags, times in ((0, 1), (1, 1), (0xFF, 1), (1, 2)):
            if len(status) == 8 or (flags, times) == (0, 1):
                outside.free(outside.call([status, flags, times], algorithm=algorithm, query="?timeout=5"))
