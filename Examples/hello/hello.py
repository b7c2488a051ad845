def apply(name):
    return f"Hello {name}"
