"""Blocks while it is loaded: the worker never comes to read a call."""
import time

time.sleep(1_000_000)


def apply(value):
    return value
