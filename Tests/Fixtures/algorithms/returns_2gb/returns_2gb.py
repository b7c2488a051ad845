def apply(_):
    return "x" * (2 << 30)
