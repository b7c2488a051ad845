def apply(_):
    raise ValueError("boom")
