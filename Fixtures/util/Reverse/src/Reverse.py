"""Turns text or binary data around."""


class InputError(Exception):
    error_type = "InputError"


def apply(input):
    """Text -> its characters from last to first; binary data -> its bytes from last to first."""
    if not isinstance(input, (str, bytes)):
        raise InputError(f"expected text or binary data, got JSON of type {type(input).__name__}")
    return input[::-1]
