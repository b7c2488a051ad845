"""NW102: brings up a network of its own."""
import ctypes
import errno
import fcntl
import os
import socket

DEED = "asks for interfaces, raises the loopback, makes tun and veth devices, and looks for names of the host's network"
EXPECTED = "the box's network namespace has one interface, which is down, and is shared with nobody"
CLASS = "reaching the network"
IOCTLS = {"SIOCGIFCONF": 0x8912, "SIOCGIFADDR": 0x8915, "SIOCSIFFLAGS": 0x8914, "SIOCSIFADDR": 0x8916, "SIOCADDRT": 0x890B,
          "SIOCETHTOOL": 0x8946, "SIOCBRADDBR": 0x89A0, "TUNSETIFF": 0x400454CA}
FILES = ("/proc/net/tcp", "/proc/net/arp", "/proc/sys/net/ipv4/ip_forward", "/sys/class/net", "/dev/net/tun",
         "/dev/vhost-net", "/dev/ppp", "/etc/resolv.conf", "/etc/hosts", "/run/netns")
SYS_IO_URING_SETUP, SYS_PIDFD_OPEN = 425, 434
libc = ctypes.CDLL(None, use_errno=True)


def apply(_):
    own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found = {name: attempt(lambda: fcntl.ioctl(own, number, b"lo".ljust(40, b"\0"))) for name, number in IOCTLS.items()}
    found |= {file: attempt(lambda: os.close(os.open(file, os.O_RDONLY))) for file in FILES}
    found["names of interfaces"] = attempt(lambda: socket.if_nameindex())
    # A ring makes sockets without the call that a filter sees.
    found["io_uring"] = raw(SYS_IO_URING_SETUP, 8, ctypes.create_string_buffer(256))
    found["descriptor of pid 1"] = raw(SYS_PIDFD_OPEN, 1, 0)
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
    reply = outside.call()
    (worker,) = outside.workers()
    with open(f"/proc/{worker}/net/dev") as devices:
        names = [line.split(":")[0].strip() for line in devices if ":" in line]
    outside.held(names == ["lo"], f"its interfaces are {names}")
    with open(f"/proc/{worker}/net/if_inet6") as addresses:
        outside.held(not addresses.read(), "its loopback is up")
    own = os.readlink(f"/proc/{worker}/ns/net")
    sharers = [name for name in os.listdir("/proc") if name.isdigit() and shares(name, own)]
    outside.held(sharers == [str(worker)], f"processes {sharers} share its network")
    outside.each(reply, "ENOSYS", "EPERM", "ENOENT", "EACCES", "EAFNOSUPPORT", "ENOTTY", "EINVAL")


def shares(process, network):
    try:
        return os.readlink(f"/proc/{process}/ns/net") == network
    except OSError:
        return False
