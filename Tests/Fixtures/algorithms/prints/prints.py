import sys

LINE = "x" * 63 + "\n"


def apply(_):
    """Prints 2 MiB to stdout and 2 MiB to stderr."""
    for _ in range((2 << 20) // 4096):
        sys.stdout.write(LINE * 64)
        sys.stderr.write(LINE * 64)
    return "printed"
