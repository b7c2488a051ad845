import os


def apply(status):
    os._exit(int(status))
