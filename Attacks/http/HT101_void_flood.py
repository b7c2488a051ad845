"""HT101: a flood of calls that nobody waits for."""
import threading
import time

DEED = "begins 100 calls with output=void as fast as it can, from six sides"
EXPECTED = "each that was let in is in the ledger once and paid; others are refused; the victim is served all the while"
CLASS = "taking every seat"
SERVED_SECONDS = 1.0


def apply(_):
    time.sleep(0.05)


def judge(outside):
    daemon, known, refused = outside.daemon, [], []
    paid = daemon.balance(outside.attacker.name)["available_microcredits"]
    memory, descriptors = outside.memory_bytes(), outside.descriptors()
    daemon.call("passer/echo", "warm", outside.victim)

    def flood():
        for _ in range(17):
            reply = outside.call("x", query="?output=void")
            (known if "request_id" in reply.json else refused).append(reply)

    threads = [threading.Thread(target=flood) for _ in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        outside.answered(daemon.call("passer/echo", "x", outside.victim), "x")
        outside.held(time.monotonic() - began < SERVED_SECONDS, f"the victim waited {time.monotonic() - began:.2f} s")
    end = time.monotonic() + 5
    while daemon.balance(outside.attacker.name)["held_microcredits"]:
        outside.held(time.monotonic() < end, "after 5 s a hold is left")
        time.sleep(0.02)
    listed = daemon.must("usage", "list", "--account", outside.attacker.name, "--limit", 1000)["results"]
    begun = {reply.call_id for reply in known}
    records = [one for one in listed if one["id"] in begun]
    outside.held(len(begun) == len(known) == len(records), f"{len(known)} calls were let in, {len(records)} records are theirs")
    spent = paid - daemon.balance(outside.attacker.name)["available_microcredits"]
    outside.held(spent == sum(one["amount_microcredits"] for one in records), f"{spent} were paid, the records have another sum")
    outside.held(all(reply.status == 429 for reply in refused), f"{refused[:1]}")
    outside.held(outside.memory_bytes() - memory < 64 << 20 and outside.descriptors() - descriptors < 600, "the daemon grew")
