"""WP13: deploys while calls run, so that an old worker may serve the new name."""
import threading

DEED = "deploys a second version, then deletes the algorithm, while its warm workers serve calls"
EXPECTED = "after the deploy nobody meets the old code but who asks for it by number; after the deletion nobody meets any"
CLASS = "code of another version"


def source(number):
    return f"def apply(_):\n    return {number}\n"


def judge(outside):
    name = "wp13"
    full = outside.deploy(name, {"main.py": source(1)}, "--isolation", "shared")
    ended, seen, begun = threading.Event(), [], threading.Event()

    def hammer(user):
        while not ended.is_set():
            is_after = begun.is_set()
            seen.append((is_after, outside.call("x", user, algorithm=full).json.get("result")))

    threads = [threading.Thread(target=hammer, args=(user,)) for user in (outside.attacker, outside.victim) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        outside.deploy(name, {"main.py": source(2)}, "--isolation", "shared")
        begun.set()
        first = [outside.call("x", algorithm=f"{full}/0.1.0") for _ in range(5)]
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    for reply in first:
        outside.answered(reply, 1)
    wrong = [result for is_after, result in seen if is_after and result != 2 or result not in (1, 2)]
    outside.held(not wrong, f"after the deploy, calls were answered with {wrong[:5]}")
    outside.held(any(result == 1 for _, result in seen), "no call met the old version before")
    outside.daemon.manage("DELETE", f"/v1/manage/algorithms/{full}")
    for user in (outside.attacker, outside.victim):
        outside.failed(outside.call("x", user, algorithm=full), "EntityNotFoundError")
