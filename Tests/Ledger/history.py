"""Whether the balances that were read while calls ran are ones that some order of the calls allows."""
import collections

from ledger import TOP_UPS


def impossible(journal, rows):
    """Readings outside their bounds.

    A reading happened between its `ask` and its `read`. What was acknowledged before `ask`, and what any reading that
    had ended by then saw, must be in it; nothing can be in it that had not begun by `read`, or was never charged.
    """
    charged = {row.name: row.amount for row in rows}
    acknowledged, possible, seen = (collections.Counter() for _ in range(3))
    least, found, readings = {}, [], 0
    for line in journal.lines:
        if line[0] == "open":
            least = {}
        elif line[0] == "begin":
            possible[line[2]] += charged.get(line[1], 0)
        elif line[0] == "ack":
            acknowledged[journal.begun[line[1]]] += int(line[2])
        elif line[0] == "ask":
            least[line[1]] = {account: max(acknowledged[account], seen[account]) for account in TOP_UPS}
        elif line[0] == "read":
            readings += 1
            account, (available, held, spent) = line[2], map(int, line[3:])
            if not least.pop(line[1])[account] <= spent <= possible[account]:
                found.append(f"{account} had spent {spent}, possible were at most {possible[account]}: {line}")
            if available + held + spent != TOP_UPS[account] or available < 0 or held < 0:
                found.append(f"{account} has {available}, {held} held and {spent} spent of {TOP_UPS[account]}")
            seen[account] = max(seen[account], spent)
    return found, readings
