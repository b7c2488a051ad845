"""NW5: opens a socket of every family."""
import ctypes
import errno

DEED = "opens sockets of families 0 to 60 and beyond, of every type, with numbers cut to 32 bits in mind"
EXPECTED = "there is AF_UNIX and nothing else: the box keeps no socket of another family"
CLASS = "kernel surface"
SYS_SOCKET, SYS_SOCKETPAIR, AF_UNIX = 41, 53, 1
FAMILIES = (*range(61), 255, 0xFFFF, 0x7FFFFFFF, -1, 1 << 32 | 2, 1 << 32 | 16, 1 << 32 | 38, 1 << 63 | 2)
PROTOCOLS = {2: (0, 1, 6, 17, 132, 136, 255, 262), 10: (0, 6, 17, 58, 255), 16: range(23), 17: (0, 0x0003, 0x0300)}
libc = ctypes.CDLL(None, use_errno=True)


def apply(_):
    found, kept = {}, (ctypes.c_int * 2)()
    for family in FAMILIES:
        if family == AF_UNIX:
            continue
        for kind in (1, 2, 3, 4, 5, 6, 10, 0x80001):
            for protocol in PROTOCOLS.get(family & 0xFFFFFFFF, (0,)):
                name = f"family {family}, type {kind}, protocol {protocol}"
                found[name] = raw(SYS_SOCKET, family, kind, protocol)
                found[name + ", pair"] = raw(SYS_SOCKETPAIR, family, kind, protocol, kept)
    further = {name: outcome for name, outcome in found.items() if outcome not in ("EAFNOSUPPORT", "ENOSYS")}
    return further or {"all": "EAFNOSUPPORT"}  # There are thousands.


def raw(number, *arguments):
    words = [value if isinstance(value, ctypes.Array) else ctypes.c_long(value) for value in arguments]
    done = libc.syscall(ctypes.c_long(number), *words)
    return errno.errorcode[ctypes.get_errno()] if done < 0 else "opened"


def judge(outside):
    reply = outside.call()
    protocols = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet", "netlink", "icmp")
    for worker in outside.workers():
        for protocol in protocols:
            try:
                with open(f"/proc/{worker}/net/{protocol}") as sockets:
                    rows = sockets.readlines()[1:]
            except FileNotFoundError:
                continue
            rows = [row for row in rows if protocol != "netlink" or row.split()[9] != "0" and row.split()[2] != "0"]
            outside.held(not rows, f"its network has {protocol} sockets: {rows[:3]}")
    outside.each(reply, "EAFNOSUPPORT")
