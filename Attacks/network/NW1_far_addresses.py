"""NW1: connects to what lies outside the host."""
import errno
import socket

DEED = "connects to metadata services, private networks, multicast and public resolvers, with and without waiting"
EXPECTED = "there is no such family in the box, and its network has no interface that is up"
CLASS = "reaching the network"
ADDRESSES = (("169.254.169.254", 80), ("100.100.100.200", 80), ("10.0.0.1", 22), ("172.17.0.1", 2375), ("192.168.0.1", 80),
             ("8.8.8.8", 53), ("1.1.1.1", 443), ("224.0.0.251", 5353), ("255.255.255.255", 67), ("fd00:ec2::254", 80),
             ("::ffff:169.254.169.254", 80), ("2606:4700:4700::1111", 443), ("fe80::1%lo", 80))
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW, "sctp": socket.SOCK_SEQPACKET}


def apply(_):
    found = {}
    for address, port in ADDRESSES:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for name, kind in KINDS.items():
            for flags in (0, socket.SOCK_NONBLOCK):
                found[f"{name} {address} {flags}"] = attempt(family, kind | flags, (address, port))
    return found


def attempt(family, kind, address):
    try:
        with socket.socket(family, kind) as opened:
            opened.settimeout(0.1)
            opened.connect(address)
            opened.send(b"x")
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "sent"


def judge(outside):
    reply = outside.call()
    for worker in outside.workers():
        with open(f"/proc/{worker}/net/route") as routes:
            outside.held(len(routes.readlines()) <= 1, "its network has routes")
        with open(f"/proc/{worker}/net/dev") as devices:
            sent = {line.split(":")[0].strip(): line.split(":")[1].split()[8] for line in devices if ":" in line}
        outside.held(sent == {"lo": "0"}, f"its interfaces have sent {sent}")
    outside.each(reply, "EAFNOSUPPORT")
