"""The SHA-256 digest of text or binary data."""
import hashlib


class InputError(Exception):
    error_type = "InputError"


def apply(input):
    """Text, which counts as UTF-8, or binary data -> {"sha256": its digest in hexadecimal, "bytes": its length}"""
    if not isinstance(input, (str, bytes)):
        raise InputError(f"expected text or binary data, got JSON of type {type(input).__name__}")
    data = input.encode() if isinstance(input, str) else input
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
