"""NW3: connects to Unix sockets of the host."""
import errno
import os
import socket

DEED = "connects and sends to Unix sockets of the host, by path, through /proc and by abstract name"
EXPECTED = "no path leads to one, abstract names are the box's own; nobody on the host is contacted"
CLASS = "reaching the host's services"
COMMON = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/systemd/private", "/run/systemd/notify",
          "/run/systemd/journal/dev-log", "/dev/log", "/run/dbus/system_bus_socket", "/tmp/.X11-unix/X0", "/run/snapd.socket",
          "\0/tmp/.X11-unix/X0", "\0/org/kernel/linux/storage/multipathd", "\0/containerd-shim/moby.sock", "\0dbus")
STARTS = ("", "/proc/self/root", "/proc/1/root/..", "/proc/self/fd/0/../..", "/tmp/../..")


def apply(named):
    found = {}
    for address in (*COMMON, *named):
        for start in ("",) if address.startswith("\0") else STARTS:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
                found[f"{kind} {start}{address}"] = attempt(kind, start + address)
    os.symlink(named[0], "/tmp/link")
    found["link"] = attempt(socket.SOCK_STREAM, "/tmp/link")
    return found


def attempt(kind, address):
    try:
        with socket.socket(socket.AF_UNIX, kind) as opened:
            opened.settimeout(0.5)
            if kind == socket.SOCK_DGRAM:
                opened.sendto(b"x", address)
            else:
                opened.connect(address)
                opened.send(b"x")
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "connected"


def judge(outside):
    canaries = outside.canaries
    reply = outside.call([canaries.unix, outside.daemon.socket_path, "\0" + canaries.abstract])
    outside.untouched()
    outside.each(reply, "ENOENT", "ECONNREFUSED", "EPERM", "EACCES", "ENOTDIR")
