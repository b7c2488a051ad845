def apply(count):
    return b"x" * int(count)
