"""What tests ask of a published algorithm; copied into each one's src/."""
import os
import sys
import time

worker = os.urandom(8).hex()
calls = 0


class Unhappy(Exception):
    def __init__(self, message, error_type):
        super().__init__(message)
        self.error_type = error_type


def perform(input, greeting):
    """Text is greeted, bytes come back reversed, and a JSON object {"do": NAME, …} names one of the tasks below."""
    global calls
    calls += 1
    if isinstance(input, bytes):
        return input[::-1]
    if isinstance(input, dict) and "do" in input:
        return globals()["do_" + input.pop("do")](**input)
    return f"{greeting} {input}"


def do_count():
    return {"worker": worker, "calls": calls}


def do_give(value=None):
    return value


def do_bytes(count):
    return b"x" * count


def do_text(count):
    return "x" * count


def do_nan():
    return [float("nan")]


def do_object():
    return object()


def do_fail(message, error_type=0):
    if error_type == 0:
        raise ValueError(message)
    raise Unhappy(message, error_type)


def do_say(text):
    print("said", text)
    print("warned", text, file=sys.stderr)
    return text


def do_sleep(seconds, token=None):
    time.sleep(seconds)
    return [token, worker]


def do_leave(status):
    sys.exit(status)


def do_die():
    os.kill(os.getpid(), 9)


def do_eat():
    held = []
    while True:
        held.append(bytearray(b"x") * (8 << 20))


def do_call_another():
    import Algorithmia

    return Algorithmia.client().algo("demo/Hello").pipe("Jane").result


def do_read_data():
    import Algorithmia

    return Algorithmia.client().file("data://.my/words/words.txt").getString()
