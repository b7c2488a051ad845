"""Inputs and results: text, JSON and binary, between payload bytes and Python values."""
from frames import BINARY, JSON, TEXT, ProtocolError

OUTPUT_BYTES_MAX = 15_000_000

_json_decode = _json_scan = _json_encode = None


class Refusal(Exception):
    """An input or a result that cannot pass; becomes an error answer without a stack trace."""

    def __init__(self, error_type, message):
        super().__init__(message)
        self.error_type = error_type


def decode_input(kind, payload):
    """The value that `apply` receives: str, any JSON value, or bytes. Raises Refusal(ParsingError)."""
    if kind == BINARY:
        return payload
    if kind != TEXT and kind != JSON:
        raise ProtocolError(f"kind of input is {kind}, expected 0, 1 or 2")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal("ParsingError", f"the input is not UTF-8: {error.reason} at byte {error.start}") from None
    return text if kind == TEXT else _decode_json(text)


def encode_result(result):
    """A result as (kind, payload): its type is its kind. Raises Refusal when it is too large or has no form in JSON."""
    if isinstance(result, (bytes, bytearray)):
        return encode_as(BINARY, result)
    return encode_as(TEXT if isinstance(result, str) else JSON, result)


def encode_as(kind, result):
    """A result of that kind as (kind, payload); bytes when BINARY, str when TEXT. Raises Refusal."""
    payload = result
    if kind != BINARY:
        text = result if kind == TEXT else _encode_json(result)
        if len(text) > OUTPUT_BYTES_MAX:  # Never fewer bytes than characters: no need to encode it first.
            raise _too_large(len(text), "at least ")
        try:
            payload = text.encode("utf-8")
        except UnicodeEncodeError:
            raise _no_json_form(result, "it holds a lone surrogate") from None
    if len(payload) > OUTPUT_BYTES_MAX:
        raise _too_large(len(payload))
    return kind, payload


def _too_large(size, prefix=""):
    return Refusal("TooLargeError", f"the result has {prefix}{size} bytes; the limit is {OUTPUT_BYTES_MAX} bytes")


def _import_json():
    """Imports json at the first JSON value: it costs 8 ms, which text and binary algorithms need not pay."""
    global _json_decode, _json_scan, _json_encode
    import json

    decoder = json.JSONDecoder()
    _json_decode, _json_scan = decoder.decode, decoder.scan_once
    _json_encode = _encoder(json)


def _encoder(json):
    """JSONEncoder.encode without making the same encoder anew for each value, which takes as long as a short value."""
    encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode

    def writer():
        return make({}, lambda value: encoder.default(value), json.encoder.encode_basestring, None, ":", ",", False, False, False)

    write = writer()

    iterencode = json.JSONEncoder.iterencode

    def encode(value):
        nonlocal write
        if json.JSONEncoder.iterencode is not iterencode or json.encoder.c_make_encoder is not make:
            return encoder.encode(value)  # The author has put something else in its place.
        try:
            return "".join(write(value, 0))
        except BaseException:
            write = writer()  # It remembers what it was in the middle of.
            raise

    return encode


def _decode_json(text):
    if _json_decode is None:
        _import_json()
    try:
        try:
            value, end = _json_scan(text, 0)
        except StopIteration:
            return _json_decode(text)  # White space comes first, or it is wrong.
        if end < len(text) and text[end:].strip(" \t\n\r"):
            del value
            return _json_decode(text)  # Which says what is wrong behind the value.
        return value
    except RecursionError:
        raise Refusal("ParsingError", "the JSON input is nested deeper than this Python can read") from None
    except ValueError as error:
        raise Refusal("ParsingError", f"the JSON input cannot be read: {error}") from None


def _encode_json(result):
    if _json_encode is None:
        _import_json()
    try:
        return _json_encode(result)
    except RecursionError:
        raise Refusal("AlgorithmError", "the result is nested deeper than JSON encoding allows") from None
    except (TypeError, ValueError) as error:
        raise _no_json_form(result, str(error)) from None


def _no_json_form(result, otherwise):
    path, reason = _find_problem(result) or ("$", otherwise)
    return Refusal("AlgorithmError", f"the result cannot be sent: at {path}: {reason}")


def _find_problem(root):
    """(path, reason) of the first value in `root` that has no form in JSON, or None."""
    reason = _problem_of(root)
    if reason:
        return "$", reason
    trail, open_ids = [("$", _children(root), id(root))], {id(root)}
    while trail:
        step = next(trail[-1][1], None)
        if step is None:
            open_ids.discard(trail.pop()[2])
            continue
        label, value, key_reason = step
        reason = key_reason or _problem_of(value)
        if id(value) in open_ids:
            reason = "it contains itself"
        if reason:
            return "".join(part for part, _, _ in trail) + label, reason
        if isinstance(value, (dict, list, tuple)):
            trail.append((label, _children(value), id(value)))
            open_ids.add(id(value))
    return None


def _children(value):
    """Yields (label, child, problem of the key or None) of a container."""
    if isinstance(value, dict):
        for key, child in value.items():
            usable = key is None or isinstance(key, (str, int, float))
            bad = _problem_of(key) if usable else f"a key of type {_type_name(key)} has no form in JSON"
            yield "." + ascii(key)[:64].strip("'"), child, bad
    elif isinstance(value, (list, tuple)):
        for index, child in enumerate(value):
            yield f"[{index}]", child, None


def _problem_of(value):
    if value is None or isinstance(value, (bool, int, dict, list, tuple)):
        return None
    if isinstance(value, float):
        return None if value - value == 0 else f"{value!r} has no form in JSON"
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            return f"lone surrogate U+{ord(value[error.start]):04X} at character {error.start}"
        return None
    return f"a value of type {_type_name(value)} has no form in JSON"


def _type_name(value):
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
