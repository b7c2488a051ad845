"""NW7: sets options that reach into the kernel."""
import ctypes
import errno
import socket
import struct

DEED = "attaches filters, TLS, transparent proxying, forced buffers and devices to the sockets it can have"
EXPECTED = "options of other levels are absent; those of SOL_SOCKET that need rights are refused; no program is loaded"
CLASS = "kernel surface"
ACCEPT_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0xFFFF))
FILTER = struct.pack("HL", 1, ctypes.addressof(ACCEPT_ALL))
LEVELS = {"TCP_ULP": (6, 31, b"tls"), "TCP_REPAIR": (6, 19, 1), "IP_TRANSPARENT": (0, 19, 1), "IP_FREEBIND": (0, 15, 1),
          "IP_HDRINCL": (0, 3, 1), "IPT_SO_SET_REPLACE": (0, 64, b"x" * 128), "IPV6_TRANSPARENT": (41, 75, 1), "SOL_TLS": (282, 1, b"x" * 40),
          "ALG_SET_KEY": (279, 1, b"x" * 16), "PACKET_RX_RING": (263, 5, b"x" * 16), "NETLINK_ADD_MEMBERSHIP": (270, 1, 1),
          "level of 2^32 + 6": ((1 << 31) - 1, 31, b"tls")}
RIGHTS = {"SO_DEBUG": (1, 1, 1), "SO_MARK": (1, 36, 1), "SO_SNDBUFFORCE": (1, 32, 1 << 30), "SO_RCVBUFFORCE": (1, 33, 1 << 30),
          "SO_BINDTODEVICE": (1, 25, b"eth0\0"), "SO_PRIORITY": (1, 12, 7), "SO_ATTACH_BPF": (1, 50, 3),
          "SO_ATTACH_REUSEPORT_EBPF": (1, 52, 3), "SO_ATTACH_FILTER": (1, 26, FILTER), "SO_TXTIME": (1, 61, b"\1\0\0\0\3\0\0\0")}


def apply(_):
    found = {}
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for own in socket.socketpair(socket.AF_UNIX, kind):
            for name, (level, option, value) in {**LEVELS, **RIGHTS}.items():
                try:
                    own.setsockopt(level, option, value)
                    found[f"{name} {kind}"] = "set"
                except OSError as error:
                    found[f"{name} {kind}"] = errno.errorcode.get(error.errno, str(error))
            found[f"SO_SNDBUF {kind}"] = "large" if large(own) else "EPERM"
    return found


def large(own):
    """Whether a buffer grows beyond what everybody may have."""
    try:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
    except OSError:
        return False
    return own.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > 64 << 20


def judge(outside):
    outside.each(outside.call(), "ENOSYS", "EPERM", "EINVAL", "EOPNOTSUPP", "ENODEV", "ENOPROTOOPT", "EFAULT", "EACCES", "EBADF")
