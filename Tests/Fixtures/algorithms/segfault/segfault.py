import ctypes


def apply(_):
    ctypes.string_at(0)
