"""Rates every record of a ledger file again, in another language, from the documented rules alone, to the microcredit.

    rerate.py FILE      exit code 0 when every figure is what it must be, 4 with a list of those that are not

The rules (docs/configuration.md, ARCHITECTURE.md): time within the grant, rounded up to the increment; compute is
floor((time x rate + call price) / 10^6) and nothing is rounded elsewhere; the royalty is owed for success only, and
divided by basis points, the odd microcredit to the larger remainder, the author first; money comes from grants by priority,
then the earlier end, then the older, and from the account itself last; a record names the price book, the policy and the run
that were in force; counters are sums over days and months of UTC; a block hashes the one before. A repeated call is free, a
declared input error too as long as there is unpaid CPU time left (decision 0016), and a hold left on disk by a process that
died costs nothing.
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
CALLER, PLATFORM_FEE, COMPUTE_REVENUE, BREAKAGE, LOT = 1, 3, 4, 11, 12
COMPUTE, ROYALTY_AUTHOR, ROYALTY_PLATFORM, REFUND, ADJUSTMENT, EXPIRY = 200, 210, 220, 300, 310, 500
OK, INPUT_ERROR, TIMEOUT_CALLER, CANCELED, CEILING, PLATFORM_FAULT = 0, 1, 6, 15, 16, 17
# Who pays for which outcome, if it is not absorbed; policy 2 may absorb input errors.
PAYS_COMPUTE = {OK, INPUT_ERROR, TIMEOUT_CALLER, CANCELED, CEILING}
PAYS_ROYALTY = {OK}
# Key, columns of the first release, and columns since then that a hash takes up to the last that is not null.
CHAINED = (("usage", "seq", 31, 3), ("transfer", "id", 10, 1), ("royalty", "id", 8, 0), ("price_book", "version", 6, 0), ("admin_log", "id", 8, 0))
HOLD_COLUMNS = ("payer", "api_key", "algorithm", "version", "algo_version", "price_version", "epoch")


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
    """`allowances` are the microseconds of unpaid CPU time a day of an account, an author and a pair; None does not ask."""

    def __init__(self, connection, allowances=None):
        self.allowances, self.unpaid = allowances, collections.Counter()
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
        self.voided = {row["invocation"]: row for row in self.rows("hold", "id") if row["state"] == 2}
        self.last = {}

    def rows(self, table, order):
        return self.connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()

    def expect(self, what, found, due):
        if found != due:
            self.found.append(f"{what} is {found}, must be {due}")

    def run(self):
        usage = self.rows("usage", "seq")
        for row in usage:
            if not self.is_recovered(row):
                self.first_block.setdefault(row["epoch"], row["block"])
        for number, row in enumerate(usage, 1):
            self.expect(f"usage {row['seq']}: number", row["seq"], number)
            self.expect(f"usage {row['seq']}: the payer's record before", row["prev"], self.last.get(row["payer"]))
            self.last[row["payer"]] = row["seq"]
            if self.is_recovered(row):
                self.recovered(row)
            else:
                self.rate(row)
                self.move(row)
        self.count = len(usage)
        self.money()
        self.balances()
        self.counters(usage)
        self.chain()
        return self.found

    def is_recovered(self, row):
        """Whether its process died with its hold on disk: the process after it has recorded it."""
        return row["invocation"] in self.voided and row["outcome"] == PLATFORM_FAULT and row["epoch"] < self.run_of(row)

    def run_of(self, row):
        return sum(block <= row["block"] for block in self.starts)

    def recovered(self, row):
        hold = self.voided[row["invocation"]]
        name = f"usage {row['seq']} of a hold that was left"
        self.expect(name, [row[field] for field in HOLD_COLUMNS], [hold[field] for field in HOLD_COLUMNS])
        self.expect(f"{name}: what was held", (row["granted_us"], row["hold_ucr"], row["hold_cpu_us"]),
                    (hold["wall_us"], hold["amount"], hold["cpu_us"]))
        self.expect(f"{name}: costs", (row["amount_ucr"], row["billed_cpu_us"], self.legs[row["seq"]]), (0, 0, []))

    def rate(self, row):
        name = f"usage {row['seq']}"
        book = json.loads(self.books[row["price_version"]]["doc"])
        in_force = max(version for version, published in self.books.items() if published["block"] <= row["block"])
        self.expect(f"{name}: price book", row["price_version"], in_force)
        self.expect(f"{name}: run", row["epoch"], self.run_of(row))
        royalty = self.owed(row, book)
        _, compute, held_royalty = price(book, row["granted_us"], royalty)
        self.expect(f"{name}: hold", row["hold_ucr"], 0 if row["replay_of"] else compute + held_royalty)
        billed, compute, _ = price(book, min(row["wall_us"], row["granted_us"]), royalty)
        absorbed = self.absorb(row, name)
        if absorbed or row["outcome"] not in PAYS_COMPUTE:
            billed = compute = 0
        if absorbed or row["outcome"] not in PAYS_ROYALTY:
            royalty = 0
        figures = [row[field] for field in ("billed_wall_us", "compute_ucr", "royalty_ucr", "amount_ucr")]
        self.expect(f"{name}: billed time, compute, royalty, amount", figures, [billed, compute, royalty, compute + royalty])
        cpu = 0 if row["outcome"] == PLATFORM_FAULT else min(row["cpu_us"], row["hold_cpu_us"])
        self.expect(f"{name}: billed CPU", row["billed_cpu_us"], cpu)
        if row["granted_us"] and row["hold_cpu_us"] != CPU_MOST:
            self.expect(f"{name}: CPUs held", row["hold_cpu_us"] % row["granted_us"], 0)

    def absorb(self, row, name):
        """Whether somebody else pays; counts the CPU time that nobody pays for."""
        day = windows("spend_day_microcredits", row["ts_us"])
        author = f"author:{row['algorithm'].split('/')[0].lower()}"
        account, _, _, pair = self.scopes(row)
        everything = row["cpu_us"] + (row["load_cpu_us"] or 0)
        due = row["replay_of"] is not None
        if row["policy"] >= 2 and row["outcome"] == INPUT_ERROR and not due:
            due = bool(row["absorbed"])
            if self.allowances:
                due = all(self.unpaid[scope, day] + everything <= most for scope, most in zip((account, author, pair), self.allowances))
        self.expect(f"{name}: absorbed", bool(row["absorbed"]), due)
        if row["policy"] >= 2 and row["outcome"] != PLATFORM_FAULT:
            is_paid = row["outcome"] in PAYS_COMPUTE and not due
            for scope in (account,) if row["replay_of"] else (author,) if is_paid else (account, author, pair):
                self.unpaid[scope, day] += row["load_cpu_us"] or 0 if is_paid else everything
        return due

    def scopes(self, row):
        owner, algorithm = self.accounts[row["payer"]]["owner"], row["algorithm"].lower()
        return f"account:{owner}", f"key:{row['api_key']}", f"algorithm:{algorithm}", f"account:{owner}+algorithm:{algorithm}"

    def owed(self, row, book):
        """The version's royalty; none for a call that was admitted before there was one, which its hold tells."""
        terms = self.royalties.get(row["algo_version"])
        if terms is None:
            return 0
        if terms["block"] < self.first_block[row["epoch"]]:
            return terms["per_call_ucr"]
        _, compute, royalty = price(book, row["granted_us"], terms["per_call_ucr"])
        return terms["per_call_ucr"] if row["replay_of"] or row["hold_ucr"] == compute + royalty else 0

    def move(self, row):
        due = [(row["payer"], self.platform[COMPUTE_REVENUE], row["compute_ucr"], COMPUTE)]
        if row["royalty_ucr"]:
            terms = self.royalties[row["algo_version"]]
            author, fee = divide(row["royalty_ucr"], terms["author_bps"])
            due.append((row["payer"], terms["author"], author, ROYALTY_AUTHOR))
            due.append((row["payer"], self.platform[PLATFORM_FEE], fee, ROYALTY_PLATFORM))
        legs, moved = self.legs[row["seq"]], collections.Counter()
        for leg in legs:
            moved[self.root(leg["dr"]), leg["cr"], leg["code"]] += leg["amount"]
            self.expect(f"transfer {leg['id']}: time and block", (leg["ts_us"], leg["block"]), (row["ts_us"], row["block"]))
        self.expect(f"usage {row['seq']}: transfers", dict(moved), {(dr, cr, code): amount for dr, cr, amount, code in due if amount})

    def root(self, account):
        return self.accounts[account]["parent"] or account

    def money(self):
        """All transfers in turn: which grant pays first, what may be given back, what may end."""
        self.debits, self.credits, self.uncharged = (collections.Counter() for _ in range(3))
        lots = collections.defaultdict(list)
        for number, row in self.accounts.items():
            if row["kind"] == LOT:
                lots[row["parent"]].append((row["priority"], MOST if row["expires_us"] is None else row["expires_us"], number))
        self.lots = {payer: [number for _, _, number in sorted(keys)] for payer, keys in lots.items()}
        known, reversed_legs = {}, set()
        for row in self.rows("transfer", "id"):
            known[row["id"]] = row
            name, source = f"transfer {row['id']}", row["dr"]
            if row["usage_seq"] or (row["code"] == ADJUSTMENT and self.accounts[source]["kind"] in (CALLER, LOT)):
                self.comes_first(name, source)
            if row["code"] == REFUND:
                self.gives_back(name, row, known.get(row["reverses"]), reversed_legs)
            if row["code"] == EXPIRY:
                lot = self.accounts[source]
                self.expect(f"{name}: what ends", (lot["kind"], row["cr"], lot["expires_us"] <= row["ts_us"]), (LOT, self.platform[BREAKAGE], True))
            self.debits[source] += row["amount"]
            self.credits[row["cr"]] += row["amount"]
            if self.accounts[source]["kind"] in (CALLER, LOT) and row["code"] in (ADJUSTMENT, EXPIRY):
                self.uncharged[source] += row["amount"]
        for sequence, legs in self.legs.items():
            if sequence is not None:
                self.expect(f"usage {sequence}: legs given back", len({leg["id"] for leg in legs} & reversed_legs) in (0, len(legs)), True)

    def left(self, account):
        return self.credits[account] - self.debits[account]

    def comes_first(self, name, source):
        for lot in self.lots.get(self.root(source), ()):
            if lot == source:
                return
            self.expect(f"{name}: left of grant {lot}, which comes first", self.left(lot), 0)

    def gives_back(self, name, row, leg, reversed_legs):
        due = leg and (leg["cr"], leg["dr"], leg["amount"], leg["usage_seq"] is not None)
        self.expect(f"{name}: gives back", (row["dr"], row["cr"], row["amount"], True), due)
        self.expect(f"{name}: given back before", row["reverses"] in reversed_legs, False)
        reversed_legs.add(row["reverses"])

    def balances(self):
        for number, row in self.accounts.items():
            self.expect(f"account {row['owner']}/{row['kind']}: debits, credits, uncharged", (row["debits"], row["credits"], row["uncharged"]),
                        (self.debits[number], self.credits[number], self.uncharged[number]))
            self.expect(f"account {row['owner']}/{row['kind']}: last record", row["last_usage"], self.last.get(number))
            if row["kind"] in (CALLER, LOT) and row["credits"] + row["overdraft"] < row["debits"]:
                self.found.append(f"account {row['owner']} is overdrawn")

    def counters(self, usage):
        """Each quota's counter in each day or month in which there was usage since it was set; and its limit."""
        limits = {(row["scope"], row["metric"]): row for row in self.rows("quota", "scope") if windows(row["metric"], 0) is not None}
        since, changes = {}, collections.Counter()
        for row in self.log:
            if row["verb"] == "quota set":
                changes[tuple(row["subject"].rsplit(" ", 1))] += 1
                since.setdefault(tuple(row["subject"].rsplit(" ", 1)), row["ts_us"])
        due, needed = collections.Counter(), set()
        for row in usage:
            for scope in self.scopes(row):
                for metric in ("spend_day_microcredits", "spend_month_microcredits", "cpu_seconds_month"):
                    if (scope, metric) not in limits:
                        continue
                    amount = row["billed_cpu_us"] if metric == "cpu_seconds_month" else row["amount_ucr"]
                    key = (scope, metric, windows(metric, row["ts_us"]))
                    due[key] += amount
                    if amount and row["ts_us"] >= since[scope, metric]:
                        needed.add(key)
        for (scope, day), used in self.unpaid.items():
            if used:
                due[scope, "unpaid_cpu_seconds_day", day] = used
                needed.add((scope, "unpaid_cpu_seconds_day", day))
        stored = {(row["scope"], row["metric"], row["period"]): row["used"] for row in self.rows("quota_used", "scope")}
        for key in needed | set(stored):
            self.expect(f"counter {key}", stored.get(key), due[key])
        for (scope, metric, period), used in due.items():
            if metric == "unpaid_cpu_seconds_day":
                continue
            limit = limits[scope, metric]
            unit = MICRO if metric == "cpu_seconds_month" else 1
            if changes[scope, metric] == 1 and used > limit["limit_"] * unit:
                self.found.append(f"{metric} of {scope} is {used} in window {period}, the limit is {limit['limit_']}")

    def chain(self):
        tables = {table: collections.defaultdict(list) for table, *_ in CHAINED}
        for table, key, first, added in CHAINED:
            for row in self.rows(table, key):
                columns = list(row)[:first + added]
                while len(columns) > first and columns[-1] is None:
                    columns.pop()
                tables[table][row["block"]].append(columns)
        head, time, blocks = bytes(32), 0, self.rows("block", "seq")
        for number, block in enumerate(blocks, 1):
            self.expect("block", block["seq"], number)
            rows = {table: tables[table].pop(number, []) for table, *_ in CHAINED}
            total, moved = sum(map(len, rows.values())), sum(row[4] for row in rows["transfer"])
            digest = hashlib.sha256(head + b"".join(hashlib.sha256(b"".join(map(encoded, rows[table]))).digest() for table, *_ in CHAINED)
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
    if metric in ("spend_day_microcredits", "unpaid_cpu_seconds_day"):
        return (moment - datetime.datetime(1970, 1, 1)).days
    if metric in ("spend_month_microcredits", "cpu_seconds_month"):
        return moment.year * 12 + moment.month - 1
    return None


def rerate(path, allowances=None):
    """What is wrong in a file, and how many records of usage were rated again."""
    connection = sqlite3.connect(path)
    try:
        rerating = Rerating(connection, allowances)
        return rerating.run(), rerating.count
    finally:
        connection.close()


if __name__ == "__main__":
    differences, records = rerate(sys.argv[1])
    print(*differences[:100], sep="\n", end="\n" if differences else "")
    print(f"{records} records rated again, {len(differences)} differences")
    sys.exit(4 if differences else 0)
