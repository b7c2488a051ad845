import os


def apply(_):
    """Closes the pipe an answer would have to come through, and goes on."""
    os.close(4)
    while True:
        pass
