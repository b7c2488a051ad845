import sys


def apply(value):
    """Says one line on each of the two streams."""
    print("said", value)
    print("warned", value, file=sys.stderr)
    return "done"
