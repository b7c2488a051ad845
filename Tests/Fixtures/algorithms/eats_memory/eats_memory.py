def apply(_):
    """Touches 8 MiB after 8 MiB until the box's limit ends it."""
    held = []
    while True:
        held.append(bytearray(b"x") * (8 << 20))
