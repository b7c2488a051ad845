"""AR2: has entries that are no files."""
import os
import stat
import tarfile

from archives import APPLY, archive, member, pack

DEED = "uploads links and files through them, hard links to passwords, devices, pipes, sockets, setuid programs and capabilities"
EXPECTED = "other kinds of entries are refused; of modes only the execution bit stays; nothing is written through a link"
CLASS = "writing to the host"
MARK = "faasd-attack-ar2"


def through(target, name, kind):
    """A link under a good name, then a file through it."""
    return pack([member("main.py", APPLY), member("d", kind=kind, link=target), member(name, b"x")])


def refused(state):
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        for target in ("/", "..", "../../..", state, "/etc", "."):
            yield through(target, f"d/{MARK}", kind)
        for target in ("/etc/passwd", "/etc/shadow", state + "/ledger.db", "/proc/self/environ", "main.py"):
            yield through(target, "d", kind)
            yield pack([member("main.py", kind=kind, link=target)])
            yield pack([member("main.py", APPLY), member("requirements.txt", kind=kind, link=target)])
    for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE,
                 b"M", b"D", b"N", b"V", b"Z", b"\xff"):
        info, body = member("node", kind=kind)
        info.devmajor, info.devminor = 1, 1
        yield pack([member("main.py", APPLY), (info, body)])


def judge(outside):
    state, daemon = outside.daemon.state, outside.daemon
    before = sorted(os.listdir(state + "/store"))
    for number, payload in enumerate(refused(state)):
        reply = daemon.post_archive("attacker/ar2", payload)
        outside.held(reply.status == 422, f"archive {number} was answered {reply!r:.300}")
    outside.held(sorted(os.listdir(state + "/store")) == before, "something is left in the store")
    made = [place for place in ("/", "/etc", state, state + "/store", "/var/lib") if os.path.exists(f"{place}/{MARK}")]
    outside.held(not made, f"a link was followed: it lies in {made}")
    program, body = member("program", b"#!/bin/sh\n", mode=0o7777)
    program.uid = program.gid = 0
    program.pax_headers = {"SCHILY.xattr.security.capability": "\1\0\0\2\xff\xff\xff\xff",
                           "SCHILY.acl.access": "user::rwx", "uname": "root"}
    reply = daemon.post_archive("attacker/ar2", pack([member("main.py", APPLY, mode=0o4755), (program, body)]))
    outside.held(reply.status in (201, 422), f"the setuid program was answered {reply!r:.300}")
    for folder, _, files in os.walk(state + "/store"):
        for name in files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            plain = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) in (0o644, 0o755) and status.st_nlink == 1
            outside.held(plain and status.st_uid != 0 and not os.listxattr(path), f"{path} is {status}, {os.listxattr(path)}")
    reply = daemon.post_archive("attacker/ar2", archive({"main.py": APPLY}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
    outside.answered(outside.call("x", algorithm="attacker/ar2"), "x")
