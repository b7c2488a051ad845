"""HT106: counts one payment twice."""
import concurrent.futures

DEED = "repeats a top-up in parallel, with other sums, for another account, with a reference that only looks the same"
EXPECTED = "one reference counts once; with another sum or account it is a conflict"
CLASS = "arithmetic on money"


def judge(outside):
    daemon, name = outside.daemon, outside.attacker.name
    before = daemon.balance(name)["available_microcredits"], daemon.balance(outside.victim.name)["available_microcredits"]

    def pay(account, credits, ref="twice"):
        return daemon.manage("POST", f"/v1/manage/accounts/{account}/top-ups", {"credits": credits, "ref": ref}).status

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        same = list(pool.map(lambda _: pay(name, "1"), range(32)))
        mixed = list(pool.map(lambda number: pay((name, name.upper())[number % 2], ("2", "2.0", "3")[number % 3], "mixed"), range(30)))
    outside.held(set(same) == {201}, f"repeated: {same}")
    outside.held(set(mixed) <= {201, 409}, f"with other sums: {mixed}")
    others = [pay(outside.victim.name, "1"), pay(name, "1.000001"), pay(name, "1000000", "twice")]
    outside.held(others == [409, 409, 409], f"for others: {others}")
    odd = [pay(name, "1", ref) for ref in ("", "x" * 256, "é" * 128)]
    outside.held(odd == [400, 400, 400], f"references out of range: {odd}")
    got = daemon.balance(name)["available_microcredits"] - before[0]
    outside.held(got in (3_000_000, 4_000_000), f"{got} microcredits came of 1 credit, and of 2 or 3")
    outside.held(daemon.balance(outside.victim.name)["available_microcredits"] == before[1], "the victim was paid")
    daemon.audit()
