def apply(mode):
    """Fills /tmp until the kernel says no and leaves it full; then raises that error, or answers when mode is "answer"."""
    with open("/tmp/filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * (1 << 20))
        except OSError:
            if mode != "answer":
                raise
    return "full"
