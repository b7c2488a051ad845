"""Serves a published algorithm: frames of the daemon on one side, Algorithmia's pipe protocol on the other."""
import binascii
import errno
import json
import os

import frames
from algorithm import Algorithm, Ended, InputClosed
from codec import Refusal, encode_as
from fifo import FifoLost
from published import PIPE
from values import NotAnObject, ValueTooLarge

FIFO = "/tmp/algoout"
"""Where every published algorithm writes its answers; the path is part of the contract."""
PROTOCOL_ERROR = "SystemExit"
"""What Algorithmia's callers get for an answer that is none, and for a process that ended."""
_NO_SPACE = dict.fromkeys(map(ord, " \t\r\n"))
_KINDS = {"text": frames.TEXT, "json": frames.JSON, "binary": frames.BINARY}
_NOT_OFFERED = "http://hosted-data-and-calls-of-algorithms-are-not-offered-yet.invalid"
_RUNTIME = os.path.dirname(os.path.abspath(__file__))


class Reported(Exception):
    """The algorithm answered with an error: type, message and stack trace."""


class Broken(Exception):
    """The algorithm cannot go on: the worker answers this, and ends."""


def serve(root, program, requests, replies, nonce):
    """Starts the program, then answers calls until the request pipe closes. Never returns normally."""
    os.chdir(os.path.join(root, "code"))
    try:
        algorithm = Algorithm(_command(root, program), _environment(root, program), FIFO)
    except OSError as error:
        has_no_interpreter = program.module is None and error.errno in (errno.ENOENT, errno.ENOEXEC)
        hint = "; its first line must name an interpreter that is here" if has_no_interpreter else ""
        reason = f"{program.path} cannot be started: {error.strerror}{hint}"
        replies.fail(nonce, "LoadingError", reason, kind=frames.LOAD_ERROR)
        os._exit(1)
    _load(algorithm, program, replies, nonce)
    while True:
        _answer(algorithm, requests.next(frames.CALL), replies)


def _command(root, program):
    if program.module is None:
        path = os.path.join(root, "code", PIPE)
        return [path]
    flags = ("-S", "-P", "-B", "-u")
    return ["/usr/bin/python3", *flags, os.path.join(_RUNTIME, "pipe.py"), program.module]


def _environment(root, program):
    return {
        **os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1",
        "PYTHONPATH": os.path.join(_RUNTIME, "shims"), "FAASD_DEPENDENCIES": os.path.join(root, "deps"),
        "HOME": "/home/algo" if os.path.isdir("/home/algo") else os.environ.get("HOME", "/tmp"),
        "ALGORITHMIA_API": _NOT_OFFERED,
        "ALGORITHMIA_ALGORITHM_NAME": program.name, "ALGORITHMIA_ALGORITHM_AUTHOR_NAME": program.author,
    }


def _load(algorithm, program, replies, nonce):
    """Waits until it is loaded; a failure is told, and then the worker ends with it."""
    try:
        said = algorithm.load()
        if said is None:
            return replies.send(frames.READY, nonce)
        error_type, message, trace = _error(_parse(said)) or (PROTOCOL_ERROR, "it answered before it was asked", "")
        failure = error_type, f"{program.path} cannot be loaded: {message}", trace
    except Ended as end:
        tail = algorithm.tail.decode("utf-8", "replace")
        last = ([line for line in tail.splitlines() if line.strip()] or ["it printed nothing on stderr"])[-1]
        how = f"exited with code {end.status}" if end.status >= 0 else f"was killed by signal {-end.status}"
        failure = "LoadingError", f"{program.path} {how} before it was loaded: {last.strip()[:500]}", tail
    except (Broken, InputClosed, NotAnObject, Refusal, ValueTooLarge) as error:
        failure = "LoadingError", f"{program.path} cannot be loaded: JSON error - {error}", ""
    replies.fail(nonce, *failure, kind=frames.LOAD_ERROR)
    os._exit(1)


def _answer(algorithm, frame, replies):
    """One call. The end of the child is reported for what it is: the daemon judges it by its own evidence."""
    _, kind, nonce, payload = frame
    del frame  # `payload` goes too once it is a line: the algorithm has the memory to itself.
    is_last = False
    try:
        line = _request_line(kind, payload)
        del payload
        answer = algorithm.call(line)
        del line
        is_last = not algorithm.can_go_on
        answer = _parse(answer)
        is_last = is_last or answer.get("ends") is True
        kind, body = _result(answer)
        replies.send(frames.RESULT, nonce, body, kind | (frames.LAST if is_last else 0))
    except Reported as error:
        error_type, *rest = error.args
        # pipe.py reports whatever leaves the import, and a loop within it leaves it in a call.
        error_type = "AlgorithmError" if is_last and error_type == "LoadingError" else error_type
        replies.fail(nonce, error_type, *rest, is_last=is_last)
    except Refusal as refusal:
        replies.fail(nonce, refusal.error_type, str(refusal), is_last=is_last)
    except Ended as end:
        is_last = True
        flag = 0 if end.was_told else frames.BEFORE_THE_CALL
        replies.send(frames.CHILD_ENDED, nonce, end.status.to_bytes(4, "little", signed=True), flag)
    except (Broken, FifoLost, InputClosed, NotAnObject) as error:
        is_last = True
        replies.fail(nonce, PROTOCOL_ERROR, f"JSON error - {error}", is_last=True)
    except ValueTooLarge as error:
        is_last = True
        replies.fail(nonce, "TooLargeError", str(error), is_last=True)
    if is_last:
        os._exit(1)


def _request_line(kind, payload):
    """A request as one line. JSON is passed on as it came: a line break in it can only stand between its tokens."""
    if kind == frames.BINARY:
        return b'{"content_type":"binary","data":"' + binascii.b2a_base64(payload, newline=False) + b'"}\n'
    if kind == frames.JSON:
        return b'{"content_type":"json","data":' + payload.replace(b"\n", b" ").replace(b"\r", b" ") + b"}\n"
    if kind != frames.TEXT:
        raise frames.ProtocolError(f"kind of input is {kind}, expected 0, 1 or 2")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal("ParsingError", f"the input is not UTF-8: {error.reason} at byte {error.start}") from None
    return f'{{"content_type":"text","data":{json.dumps(text)}}}\n'.encode("ascii")


def _parse(answer):
    try:
        return json.loads(answer)
    except RecursionError:
        raise Refusal("AlgorithmError", "the result is nested deeper than JSON decoding allows") from None
    except ValueError as error:
        raise Broken(error) from None


def _error(answer):
    """(type, message, stack trace) of an answer that reports a failure, else None."""
    error = answer.get("error")
    if not isinstance(error, dict) or "message" not in error:
        return None
    error_type, trace = error.get("error_type"), error.get("stacktrace")
    if not isinstance(error_type, str) or not error_type:
        error_type = "AlgorithmError"
    return error_type, str(error["message"]) or error_type, trace if isinstance(trace, str) else ""


def _result(answer):
    """(kind, payload) of an answer that has a result. Raises Reported, Refusal for what may not leave, Broken."""
    metadata = answer.get("metadata")
    kind = metadata.get("content_type") if isinstance(metadata, dict) else None
    kind = _KINDS.get(kind) if isinstance(kind, str) else None
    if kind is None or "result" not in answer:
        if reported := _error(answer):
            raise Reported(*reported)
        raise Broken("the answer has neither result and metadata.content_type (text, json or binary) nor error.message")
    result = answer["result"]
    if kind == frames.BINARY:
        result = _bytes(result)
    elif kind == frames.TEXT and not isinstance(result, str):
        kind = frames.JSON
    return encode_as(kind, result)


def _bytes(result):
    """Base64 as some writers break it into lines. Raises Broken."""
    try:
        return binascii.a2b_base64(result.translate(_NO_SPACE), strict_mode=True)
    except (AttributeError, ValueError):
        raise Broken("the result is called binary and is not base64") from None
