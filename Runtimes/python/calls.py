"""The worker's loop: INIT once, then CALL after CALL until the request pipe closes."""
import os
import sys

import frames
from codec import Refusal, decode_input, encode_result
from load import check_interpreter, load_algorithm, published_program
from reaper import reap_orphans

_RUNTIME = os.path.dirname(os.path.abspath(__file__)) + os.sep


def run(root, own=None):
    """Serves until end of file, then exits 0; exits 76 after a frame that breaks the protocol. Never returns.

    `own` is what own_modules() said, where that was before the fork: looking through all modules takes a millisecond.
    """
    status = 0
    try:
        _serve(root, own, frames.Requests(), frames.Replies())
    except (EOFError, BrokenPipeError):
        pass
    except frames.ProtocolError as error:
        os.write(2, f"worker: {error}\n".encode())
        status = frames.EXIT_PROTOCOL
    _leave(status)


def _serve(root, own, requests, replies):
    orders = _orders()
    _, _, nonce, payload = requests.next(frames.INIT)
    name, entry = payload.decode("utf-8", "replace"), []
    try:
        check_interpreter(root)
        program = published_program(root, name)
        if program is None:
            _leave_import_system(own_modules() if own is None else own)
            function = load_algorithm(root, name, entry.append)
    except BaseException as error:  # SystemExit too: a worker that leaves while loading could not say why.
        failure = _load_failure(error, name, entry)
        _flush()
        replies.fail(nonce, *failure, kind=frames.LOAD_ERROR)
        while True:
            nonce = requests.next(frames.CALL)[2]
            replies.fail(nonce, *failure)
    if orders is not None and (program is not None or not orders.ready()):
        orders = orders.close()
    if program is not None:
        import langserver

        langserver.serve(root, program, requests, replies, nonce)
    _flush()
    reap_orphans()
    if orders is not None:
        replies = _branches(orders, requests, replies, nonce)
    else:
        replies.send(frames.READY, nonce)
    while True:
        _answer(function, replies, requests.next(frames.CALL))


def _orders():
    """Where orders to fork come from; None where none will. Before the author's code, whose modules may have any name."""
    try:
        os.fstat(frames.CONTROL_FD)
    except OSError:
        return None
    import branch

    return branch.Orders()


def _branches(orders, requests, replies, nonce):
    """Forks when told to. Returns in the forks, with their own way to answer, and where a call comes instead."""
    replies.send(frames.READY, nonce, flags=frames.CAN_BRANCH)
    while True:
        nonce = requests.next(frames.BRANCH)[2]
        own = orders.follow()
        if own is not None:
            nonce = requests.next(frames.INIT)[2]
            own.send(frames.READY, nonce)
            return own
        replies.send(frames.READY, nonce)


def own_modules():
    """The names of the modules of this runtime that have been imported."""
    return [name for name, module in list(sys.modules.items())
            if (getattr(module, "__file__", None) or "").startswith(_RUNTIME) and name != "__main__"]


def _leave_import_system(own):
    """The author's modules may have any name: neither our folder nor our modules stay where `import` looks."""
    sys.path[:] = [path for path in sys.path if os.path.join(path, "") != _RUNTIME]
    for name in own:
        sys.modules.pop(name, None)


def _answer(function, replies, frame):
    _, kind, nonce, payload = frame
    del frame  # `payload` goes too once it is decoded: `apply` has the memory to itself.
    failure = None
    try:
        value = decode_input(kind, payload)
        del payload
        kind, body = encode_result(function(value))
        del value  # To forget a large input takes time too, which is this call's.
    except SystemExit as error:
        _leave(_exit_status(error))
    except frames.ProtocolError:
        raise
    except BaseException as error:
        failure = _failure(error)
    _flush()
    reap_orphans()
    if failure is None:
        replies.send(frames.RESULT, nonce, body, kind)
    else:
        replies.fail(nonce, *failure)


def _failure(error, otherwise="AlgorithmError"):
    """(error type, message, stack trace) of an exception; survives exceptions whose own methods fail."""
    try:
        error_type = getattr(error, "error_type", None)
        message = str(error)
    except BaseException:
        error_type, message = None, ""
    if not isinstance(error_type, str) or not error_type:
        error_type = otherwise
    stacktrace = "" if isinstance(error, Refusal) else _stacktrace(error)
    return error_type, message or type(error).__name__, stacktrace


def _load_failure(error, name, entry):
    error_type, message, stacktrace = _failure(error, "LoadingError")
    subject = f"{entry[0]} cannot be loaded" if entry else f"algorithm {name} cannot be loaded"
    reason = message if message == type(error).__name__ else f"{type(error).__name__}: {message}"
    return error_type, f"{subject}: {reason}", stacktrace


def _stacktrace(error):
    """The traceback as Python prints it, without the frames of this runtime and of the import system below it."""
    try:
        import traceback

        trace = error.__traceback__
        while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        return "".join(traceback.format_exception(type(error), error, trace))
    except BaseException:
        return ""


def _is_ours(filename):
    return filename.startswith((_RUNTIME, "<frozen importlib"))


def _exit_status(error):
    """The status that sys.exit(code) asks for, with the meaning the interpreter gives to `code`."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    try:
        os.write(2, f"{error.code}\n".encode("utf-8", "backslashreplace"))
    except BaseException:
        pass
    return 1


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass  # Closed, replaced or broken by the algorithm: its output is its own affair.


def _leave(status):
    """Ends at once: threads and exit handlers of the algorithm must not keep a finished worker alive."""
    _flush()
    os._exit(status)
