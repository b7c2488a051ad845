"""Prints what it got."""
import sys


def apply(input):
    """Anything, as Python writes it -> how many characters went to stdout, and to stderr again, newlines left out."""
    text = str(input)
    print(text)
    print(text, file=sys.stderr)
    return len(text)
