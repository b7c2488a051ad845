"""HT12: callers that leave, and ask again at once."""
import socket
import struct
import time

DEED = "asks for calls, leaves before, during and after the answer, by end and by reset, and asks again at once"
EXPECTED = "each call that began is in the ledger once and paid once; no hold, worker or descriptor is left"
CLASS = "paying for what nobody waits for"


def apply(text):
    time.sleep(0.05)
    return text


def judge(outside):
    before, paid = connections(outside), outside.daemon.balance(outside.attacker.name)["available_microcredits"]
    known = {one["id"] for one in usage(outside)}
    request = (f"POST /v1/algo/{outside.algorithm} HTTP/1.1\r\nHost: x\r\nAuthorization: {outside.attacker.key}\r\n"
               "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nstay").encode()
    for number in range(60):
        with socket.create_connection(("127.0.0.1", outside.daemon.port), timeout=5) as raw:
            raw.sendall(request[:-2] if number % 6 == 5 else request)
            if number % 2:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            time.sleep((0, 0.01, 0.06)[number % 3])
    end = time.monotonic() + 4
    while outside.daemon.balance(outside.attacker.name)["held_microcredits"] or connections(outside) > before + 20:
        outside.held(time.monotonic() < end, "after 4 s a hold or descriptors are left")
        time.sleep(0.02)
    new = [one for one in usage(outside) if one["id"] not in known]
    outside.held(0 < len(new) <= 50 and len({one["id"] for one in new}) == len(new), f"there are {len(new)} records of 50 calls")
    spent = paid - outside.daemon.balance(outside.attacker.name)["available_microcredits"]
    outside.held(spent == sum(one["amount_microcredits"] for one in new), f"{spent} were paid, the records have another sum")
    outside.answered(outside.call("stay"), "stay")


def connections(outside):
    """Descriptors of the daemon but for those of workers, 14 each."""
    return outside.descriptors() - 15 * len(outside.boxes())


def usage(outside):
    return outside.daemon.must("usage", "list", "--account", outside.attacker.name, "--limit", 1000)["results"]
