"""The loop that an old repository brings along: a JSON line on stdin, an answer in the FIFO."""
import base64
import importlib
import json
import sys
import traceback

FIFO = "/tmp/algoout"


def main():
    sys.path.append("./")
    with open("algorithmia.conf") as file:
        algorithm = importlib.import_module("src." + json.load(file)["algoname"])
    print("PIPE_INIT_COMPLETE")
    sys.stdout.flush()
    while True:
        try:
            request = json.loads(input())
        except EOFError:
            return
        answer = respond(algorithm, request)
        with open(FIFO, "w") as fifo:
            fifo.write(json.dumps(answer))
            fifo.write("\n")
        sys.stdout.flush()


def respond(algorithm, request):
    try:
        data = request["data"]
        if request["content_type"] == "binary":
            data = base64.b64decode(data)
        result, kind = algorithm.apply(data), "json"
        if isinstance(result, (bytes, bytearray)):
            result, kind = base64.b64encode(result).decode(), "binary"
        elif isinstance(result, str):
            kind = "text"
        json.dumps(result)
        return {"result": result, "metadata": {"content_type": kind}}
    except Exception as error:
        failure = {"message": str(error), "stacktrace": traceback.format_exc()}
        if hasattr(error, "error_type"):
            failure["error_type"] = error.error_type
        return {"error": failure}


main()
