"""AR1: gives files names that lead out of the version's folder."""
import glob
import os
import tarfile

from archives import APPLY, archive, member, pack, with_member

DEED = "uploads archives whose names are absolute, have .., backslashes, drives or broken UTF-8, or hide that in extended headers"
EXPECTED = "each is refused with 422, nothing is written anywhere, and the next honest deploy works"
CLASS = "writing to the host"
MARK = "faasd-attack-ar1"
PLACES = ("/etc/cron.d", "/tmp", "/var/lib", "/var/tmp", "/usr/lib/python3/dist-packages", "/")


def names(state):
    deep = "../" * 12
    return [f"{deep}etc/cron.d/{MARK}", f"/tmp/{MARK}", f"//tmp/{MARK}", f"a/../../{MARK}", f"../deps/{MARK}.py", f"../lock/{MARK}",
            f"./../{MARK}", f"..\\..\\{MARK}", f"C:\\{MARK}", f"a/..\\../{MARK}", f"{deep}{state}/store/{MARK}", f"{state}/{MARK}", f"a/./{MARK}",
             f"a//{MARK}", "..", "a/..", "/", f"/proc/self/root/tmp/{MARK}", f"../../{MARK}", f"{MARK}\n../x", f"{MARK}\x7f",
            "x/" * 40 + MARK,
            f"\uff0e\uff0e/../{MARK}", f"a/\u202e/../../{MARK}"]


def disguised(state):
    """Good names in the plain header; the name that counts is in a header before it."""
    for name in (f"../../{MARK}", f"/tmp/{MARK}", f"{state}/store/{MARK}"):
        info, body = member("good.py", b"x")
        info.pax_headers = {"path": name}
        yield pack([member("main.py", APPLY), (info, body)])
        long, _ = member("././@LongLink", name.encode() + b"\0", kind=tarfile.GNUTYPE_LONGNAME)
        yield pack([member("main.py", APPLY), (long, name.encode() + b"\0"), member("good.py", b"x")])
    info, body = member("good.py", b"x")
    info.pax_headers = {"path": f"../{MARK}", "hdrcharset": "BINARY", "linkpath": "/", "GNU.sparse.name": f"/tmp/{MARK}"}
    yield pack([member("main.py", APPLY), (info, body)])


def judge(outside):
    state, daemon = outside.daemon.state, outside.daemon
    before = sorted(os.listdir(state + "/store"))
    payloads = [with_member(*member(name, b"x")) for name in names(state)]
    for number, payload in enumerate([*payloads, *disguised(state)]):
        reply = daemon.post_archive("attacker/ar1", payload)
        outside.held(reply.status == 422, f"archive {number} was answered {reply!r:.300}")
    outside.held(sorted(os.listdir(state + "/store")) == before, "something is left in the store")
    patterns = [*(f"{place}/*{MARK}*" for place in (*PLACES, state)), f"{state}/*/*{MARK}*", f"{state}/store/*/*/{MARK}*"]
    found = [path for pattern in patterns for path in glob.glob(pattern)]
    outside.held(not found, f"it was written: {found}")
    reply = daemon.post_archive("attacker/ar1", archive({"main.py": APPLY}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
    outside.answered(outside.call("x", algorithm="attacker/ar1"), "x")
