"""NW103: sends without connecting, out of band and with other people's names."""
import array
import ctypes
import errno
import os
import socket
import struct

DEED = "sends with MSG_FASTOPEN and MSG_OOB, forges credentials, and passes descriptors of its root around and down its pipes"
EXPECTED = "flags and credentials are refused; descriptors stay in the box, and the daemon has no more of them than before"
CLASS = "kernel surface"
SYS_SENDTO, MSG_FASTOPEN, SCM_RIGHTS, SCM_CREDENTIALS = 44, 0x20000000, 1, 2
libc = ctypes.CDLL(None, use_errno=True)


def apply(port):
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + bytes((127, 0, 0, 1)) + bytes(8)
    found = {"fast open": raw(SYS_SENDTO, one.fileno(), b"x", 1, MSG_FASTOPEN, address, len(address)),
             "out of band": attempt(lambda: one.send(b"x", socket.MSG_OOB)),
             "out of band in a message": attempt(lambda: one.sendmsg([b"x"], [], socket.MSG_OOB)),
             "read out of band": attempt(lambda: two.recv(1, socket.MSG_OOB | socket.MSG_DONTWAIT))}
    for name, who in {"root": (1, 0, 0), "other process": (os.getpid() + 1, 1000, 1000), "root of the box": (1, 1000, 0)}.items():
        ancillary = [(socket.SOL_SOCKET, SCM_CREDENTIALS, struct.pack("iII", *who))]
        found[f"credentials of {name}"] = attempt(lambda: one.sendmsg([b"x"], ancillary))
    rights = [(socket.SOL_SOCKET, SCM_RIGHTS, array.array("i", [os.open("/", os.O_PATH)] * 200))]
    for number in (1, 2, 3, 4):
        found[f"descriptors down {number}"] = attempt(lambda: socket.socket(fileno=os.dup(number)).sendmsg([b"x"], rights))
    for _ in range(50):  # In flight in the box, never received.
        attempt(lambda: one.sendmsg([b"x"], rights, socket.MSG_DONTWAIT))
    return found


def raw(number, *arguments):
    done = libc.syscall(ctypes.c_long(number), *arguments)
    return errno.errorcode[ctypes.get_errno()] if done < 0 else "done"


def attempt(deed):
    try:
        deed()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "done"


def judge(outside):
    before = outside.descriptors()
    reply = outside.call(outside.canaries.tcp)
    outside.held(outside.descriptors() <= before + 45, f"the daemon has {outside.descriptors()} descriptors, before {before}")
    outside.untouched()
    outside.each(reply, "ENOSYS", "EPERM", "EOPNOTSUPP", "EAFNOSUPPORT", "ENOTSOCK", "EINVAL", "ESRCH")
