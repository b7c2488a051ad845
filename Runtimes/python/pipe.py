"""Program of a published algorithm: `python3 -S -P -B -u pipe.py MODULE`, in the repository's folder.

Imports src.MODULE. A module that starts a loop of its own, as those made with the ADK or Algorithmia.handler do, answers
its calls itself and never comes back from the import; for any other, this program reads requests and calls its `apply`.
"""
import json
import os
import sys

import sitecustomize  # The shims, which Python imports by itself when it was not started with -S.

_FIFO = "/tmp/algoout"
_MANIFESTS = ("model_manifest.json.freeze", "model_manifest.json")


class NotOfferedYet(Exception):
    """Something the repository needs and this server cannot give."""


def _main():
    module_name = "src." + sys.argv[1]
    sys.argv[:] = [module_name]
    sys.path.append("./")
    try:
        _check_manifest(sys.argv[0])
        module = __import__(module_name, fromlist=["apply"])
        apply = getattr(module, "apply", None)
        if not callable(apply):
            raise AttributeError("it defines no function apply(input)")
    except Exception as error:
        _write(_failure(error, "LoadingError", f"{type(error).__name__}: {error}", ends=True))
        sys.exit(1)
    print("PIPE_INIT_COMPLETE", flush=True)
    for line in sys.stdin:
        answer = _respond(apply, line)
        _flush()
        _write(answer)


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # Closed, replaced or broken by the algorithm: its output is its own affair.


def _respond(apply, line):
    try:
        value = _input(json.loads(line))
    except (ValueError, RecursionError) as error:
        return _failure(error.with_traceback(None), "ParsingError", f"the input cannot be read: {error}")
    try:
        return _success(apply(value))
    except Exception as error:
        return _failure(error, "AlgorithmError", str(error))


def _input(request):
    if request["content_type"] != "binary":
        return request["data"]
    import base64

    return base64.b64decode(request["data"])


def _success(result):
    kind = "text" if isinstance(result, str) else "json"
    if isinstance(result, (bytes, bytearray)):
        import base64

        kind, result = "binary", base64.b64encode(result).decode("ascii")
    return json.dumps({"result": result, "metadata": {"content_type": kind}})


def _failure(error, otherwise, message, ends=False):
    """An exception as an answer, its trace without the frames of this program; `ends` when no other will follow."""
    import traceback

    error_type = getattr(error, "error_type", otherwise)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return json.dumps({"error": {
        "message": message or type(error).__name__,
        "stacktrace": "".join(traceback.format_exception(type(error), error, trace)),
        "error_type": error_type if isinstance(error_type, str) else otherwise,
    }, "ends": ends})


def _write(answer):
    # Not made anew when the algorithm has removed it: in a file of that name the answer would wait for the deadline.
    with open(_FIFO, "w", opener=lambda path, flags: os.open(path, flags & ~os.O_CREAT)) as fifo:
        fifo.write(answer)
        fifo.write("\n")


def _check_manifest(module_name):
    """Says at once what the ADK could only find out by waiting for a network that is not there."""
    with open(module_name.replace(".", "/") + ".py", "rb") as source:
        if b"ADK" not in source.read():
            return
    path = next((path for path in _MANIFESTS if os.path.exists(path)), None)
    if path is None:
        return
    try:
        with open(path) as file:
            required = [(entry["name"], entry["source_uri"]) for entry in json.load(file)["required_files"]]
    except (ValueError, KeyError, TypeError):
        return  # Not of the form the ADK reads: it has the words for that.
    for name, uri in required:
        if isinstance(uri, str) and not uri.startswith("file://"):
            raise NotOfferedYet(f"{path}: {name} comes from {uri}; this server does not offer hosted data yet. "
                                f"Put the file into the repository and name it file://PATH")


if __name__ == "__main__":  # A child that multiprocessing starts imports this file too.
    _main()
