def apply(value):
    return len(value)
