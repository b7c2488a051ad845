import time


def apply(seconds):
    time.sleep(float(seconds))
    return "slept"
