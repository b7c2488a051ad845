"""NW2: connects to what listens on the host's loopback."""
import errno
import socket

DEED = "connects to TCP and UDP listeners of the host, the daemon's own port among them"
EXPECTED = "there is no such family in the box"
CLASS = "reaching the host's network"


def apply(ports):
    found = {}
    for kind, name in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")):
        for port in ports:
            for address in ("127.0.0.1", "::1", "0.0.0.0"):
                found[f"{name} {address} {port}"] = attempt(socket.AF_INET6 if ":" in address else socket.AF_INET, kind, address, port)
    return found


def attempt(family, kind, address, port):
    try:
        with socket.socket(family, kind) as opened:
            opened.settimeout(0.5)
            opened.connect((address, port))
            opened.send(b"x")
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "connected"


def judge(outside):
    canaries = outside.canaries
    outside.each(outside.call([outside.daemon.port, canaries.tcp, canaries.udp]), "EAFNOSUPPORT")
    outside.untouched()
