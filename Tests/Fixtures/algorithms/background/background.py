import threading


def spin():
    while True:
        pass


def apply(_):
    """Answers at once and leaves a thread behind that burns processor time."""
    threading.Thread(target=spin, daemon=True).start()
    return "started"
