"""Greets whoever it is told."""
import json


class AlgorithmError(Exception):
    error_type = "AlgorithmError"


def apply(input):
    """Text -> "Hello TEXT"; another JSON value is greeted as it is written in JSON: null -> "Hello null"."""
    if isinstance(input, bytes):
        raise AlgorithmError(f"expected text or JSON, got {len(input)} bytes of binary data")
    name = input if isinstance(input, str) else json.dumps(input, ensure_ascii=False)
    return f"Hello {name}"
