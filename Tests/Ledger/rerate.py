"""Rates every record of a ledger file again, in another language, from the documented rules alone, to the microcredit.

    rerate.py FILE      exit code 0 when every figure is what it must be, 4 with a list of those that are not

The rules (docs/configuration.md, ARCHITECTURE.md): time within the grant, rounded up to the increment; compute is
floor((time x rate + call price) / 10^6) and nothing is rounded elsewhere; the royalty is owed for success only, and
divided by basis points, the odd microcredit to the larger remainder, the author first; a record names the price book,
the policy and the run that were in force; counters are sums over days and months of UTC; a block hashes the one before.
"""
import collections
import datetime
import hashlib
import json
import sqlite3
import sys

MICRO = 1_000_000
MOST = (1 << 53) - 1
CPU_MOST = 1 << 46
CALLER, AUTHOR_PAYABLE, PLATFORM_FEE, COMPUTE_REVENUE, CASH_IN = 1, 2, 3, 4, 5
COMPUTE, ROYALTY_AUTHOR, ROYALTY_PLATFORM = 200, 210, 220
OK, INPUT_ERROR, TIMEOUT_CALLER, CANCELED, CEILING, PLATFORM_FAULT = 0, 1, 6, 15, 16, 17
# Policy 1: who pays what for which outcome.
PAYS_COMPUTE = {1: {OK, INPUT_ERROR, TIMEOUT_CALLER, CANCELED, CEILING}}
PAYS_ROYALTY = {1: {OK}}
CHAINED = (("usage", "seq"), ("transfer", "id"), ("royalty", "id"), ("price_book", "version"), ("admin_log", "id"))


def price(book, time, royalty):
    """Billed time, compute, royalty of a call whose compute and royalty are owed."""
    time = min(max(time, 0), MOST)
    step = book["incrementMicroseconds"]
    billed = -(-time // step) * step
    royalty = min(royalty, MOST)
    compute = (billed * book["computePicocreditsPerMicrosecond"] + book["perCallMicrocredits"] * MICRO) // MICRO
    return billed, min(compute, MOST - royalty), royalty


def divide(amount, author_bps):
    """The author's part and the platform's."""
    author, author_rest = divmod(amount * author_bps, 10_000)
    fee, fee_rest = divmod(amount * (10_000 - author_bps), 10_000)
    if author + fee < amount:
        author, fee = (author + 1, fee) if author_rest >= fee_rest else (author, fee + 1)
    return author, fee


class Rerating:
    def __init__(self, connection):
        connection.row_factory = sqlite3.Row
        self.connection, self.found, self.count = connection, [], 0
        self.accounts = {row["id"]: row for row in self.rows("account", "id")}
        self.books = {row["version"]: row for row in self.rows("price_book", "version")}
        self.royalties = {row["algo_version"]: row for row in self.rows("royalty", "id")}
        self.log = self.rows("admin_log", "id")
        self.starts = [row["block"] for row in self.log if row["verb"] == "start"]
        self.first_block = {}
        self.legs = collections.defaultdict(list)
        for row in self.rows("transfer", "id"):
            self.legs[row["usage_seq"]].append(row)
        self.platform = {row["kind"]: number for number, row in self.accounts.items() if row["owner"] == ""}

    def rows(self, table, order):
        return self.connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()

    def expect(self, what, found, due):
        if found != due:
            self.found.append(f"{what} is {found}, must be {due}")

    def run(self):
        usage = self.rows("usage", "seq")
        for row in usage:
            self.first_block.setdefault(row["epoch"], row["block"])
        for number, row in enumerate(usage, 1):
            self.expect(f"usage {row['seq']}: number", row["seq"], number)
            self.rate(row)
            self.move(row)
        self.count = len(usage)
        self.balances()
        self.counters(usage)
        self.chain()
        return self.found

    def rate(self, row):
        name = f"usage {row['seq']}"
        book = json.loads(self.books[row["price_version"]]["doc"])
        in_force = max(version for version, published in self.books.items() if published["block"] <= row["block"])
        self.expect(f"{name}: price book", row["price_version"], in_force)
        self.expect(f"{name}: run", row["epoch"], sum(block <= row["block"] for block in self.starts))
        royalty = self.owed(row, book)
        _, compute, held_royalty = price(book, row["granted_us"], royalty)
        self.expect(f"{name}: hold", row["hold_ucr"], compute + held_royalty)
        billed, compute, _ = price(book, min(row["wall_us"], row["granted_us"]), royalty)
        if row["outcome"] not in PAYS_COMPUTE[row["policy"]]:
            billed = compute = 0
        if row["outcome"] not in PAYS_ROYALTY[row["policy"]]:
            royalty = 0
        figures = [row[field] for field in ("billed_wall_us", "compute_ucr", "royalty_ucr", "amount_ucr")]
        self.expect(f"{name}: billed time, compute, royalty, amount", figures, [billed, compute, royalty, compute + royalty])
        cpu = 0 if row["outcome"] == PLATFORM_FAULT else min(row["cpu_us"], row["hold_cpu_us"])
        self.expect(f"{name}: billed CPU", row["billed_cpu_us"], cpu)
        if row["granted_us"] and row["hold_cpu_us"] != CPU_MOST:
            self.expect(f"{name}: CPUs held", row["hold_cpu_us"] % row["granted_us"], 0)

    def owed(self, row, book):
        """The version's royalty; none for a call that was admitted before there was one, which its hold tells."""
        terms = self.royalties.get(row["algo_version"])
        if terms is None:
            return 0
        if terms["block"] < self.first_block[row["epoch"]]:
            return terms["per_call_ucr"]
        _, compute, royalty = price(book, row["granted_us"], terms["per_call_ucr"])
        return terms["per_call_ucr"] if row["hold_ucr"] == compute + royalty else 0

    def move(self, row):
        due = [(row["payer"], self.platform[COMPUTE_REVENUE], row["compute_ucr"], COMPUTE)]
        if row["royalty_ucr"]:
            terms = self.royalties[row["algo_version"]]
            author, fee = divide(row["royalty_ucr"], terms["author_bps"])
            due.append((row["payer"], terms["author"], author, ROYALTY_AUTHOR))
            due.append((row["payer"], self.platform[PLATFORM_FEE], fee, ROYALTY_PLATFORM))
        legs = self.legs[row["seq"]]
        moved = [(leg["dr"], leg["cr"], leg["amount"], leg["code"]) for leg in legs]
        self.expect(f"usage {row['seq']}: transfers", sorted(moved), sorted(leg for leg in due if leg[2] > 0))
        for leg in legs:
            self.expect(f"transfer {leg['id']}: time and block", (leg["ts_us"], leg["block"]), (row["ts_us"], row["block"]))

    def balances(self):
        debits, credits = collections.Counter(), collections.Counter()
        for legs in self.legs.values():
            for leg in legs:
                debits[leg["dr"]] += leg["amount"]
                credits[leg["cr"]] += leg["amount"]
        for number, row in self.accounts.items():
            self.expect(f"account {row['owner']}/{row['kind']}", (row["debits"], row["credits"]), (debits[number], credits[number]))
            if row["kind"] == CALLER and row["credits"] + row["overdraft"] < row["debits"]:
                self.found.append(f"account {row['owner']} is overdrawn")

    def counters(self, usage):
        """Each quota's counter in each day or month in which there was usage since it was set; and its limit."""
        limits = {(row["scope"], row["metric"]): row for row in self.rows("quota", "scope") if windows(row["metric"], 0) is not None}
        since = {}
        for row in self.log:
            if row["verb"] == "quota set":
                since.setdefault(tuple(row["subject"].rsplit(" ", 1)), row["ts_us"])
        due, needed = collections.Counter(), set()
        for row in usage:
            owner, algorithm = self.accounts[row["payer"]]["owner"], row["algorithm"].lower()
            for scope in (f"account:{owner}", f"key:{row['api_key']}", f"algorithm:{algorithm}", f"account:{owner}+algorithm:{algorithm}"):
                for metric in ("spend_day_microcredits", "spend_month_microcredits", "cpu_seconds_month"):
                    if (scope, metric) not in limits:
                        continue
                    amount = row["billed_cpu_us"] if metric == "cpu_seconds_month" else row["amount_ucr"]
                    key = (scope, metric, windows(metric, row["ts_us"]))
                    due[key] += amount
                    if amount and row["ts_us"] >= since[scope, metric]:
                        needed.add(key)
        stored = {(row["scope"], row["metric"], row["period"]): row["used"] for row in self.rows("quota_used", "scope")}
        for key in needed | set(stored):
            self.expect(f"counter {key}", stored.get(key), due[key])
        for (scope, metric, period), used in due.items():
            limit = limits[scope, metric]
            unit = MICRO if metric == "cpu_seconds_month" else 1
            if limit["rev"] == 1 and used > limit["limit_"] * unit:
                self.found.append(f"{metric} of {scope} is {used} in window {period}, the limit is {limit['limit_']}")

    def chain(self):
        tables = {table: collections.defaultdict(list) for table, _ in CHAINED}
        for table, key in CHAINED:
            for row in self.rows(table, key):
                tables[table][row["block"]].append(tuple(row))
        head, time, blocks = bytes(32), 0, self.rows("block", "seq")
        for number, block in enumerate(blocks, 1):
            self.expect("block", block["seq"], number)
            rows = {table: tables[table].pop(number, []) for table, _ in CHAINED}
            total, moved = sum(map(len, rows.values())), sum(row[4] for row in rows["transfer"])
            digest = hashlib.sha256(head + b"".join(hashlib.sha256(b"".join(map(encoded, rows[table]))).digest() for table, _ in CHAINED)
                                    + b"".join(figure.to_bytes(8, "big", signed=True) for figure in (total, moved, block["ts_us"])))
            self.expect(f"block {number}", (block["prev"], block["hash"], block["n"], block["sum_amount"]),
                        (head, digest.digest(), total, moved))
            if block["ts_us"] <= time:
                self.found.append(f"block {number} is not later than the one before")
            head, time = block["hash"], block["ts_us"]
        for table, rest in tables.items():
            self.expect(f"blocks that rows of {table} name and that are not there", sorted(rest), [])


def encoded(row):
    """A row as the chain hashes it: the count of columns, then tag, length and bytes of each."""
    parts = [bytes([len(row)])]
    for value in row:
        if value is None:
            parts.append(b"\0")
        elif isinstance(value, int):
            parts.append(b"\1" + value.to_bytes(8, "big", signed=True))
        else:
            raw = value.encode() if isinstance(value, str) else value
            parts.append((b"\2" if isinstance(value, str) else b"\3") + len(raw).to_bytes(8, "big") + raw)
    return b"".join(parts)


def windows(metric, microseconds):
    """The number of the day or month of UTC that holds a moment; None for what is not counted over time."""
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=microseconds)
    if metric == "spend_day_microcredits":
        return (moment - datetime.datetime(1970, 1, 1)).days
    if metric in ("spend_month_microcredits", "cpu_seconds_month"):
        return moment.year * 12 + moment.month - 1
    return None


def rerate(path):
    """What is wrong in a file, and how many records of usage were rated again."""
    connection = sqlite3.connect(path)
    try:
        rerating = Rerating(connection)
        return rerating.run(), rerating.count
    finally:
        connection.close()


if __name__ == "__main__":
    differences, records = rerate(sys.argv[1])
    print(*differences[:100], sep="\n", end="\n" if differences else "")
    print(f"{records} records rated again, {len(differences)} differences")
    sys.exit(4 if differences else 0)
