"""Sleeps as long as it is told."""
import time

SECONDS_MAX = 3_000


class InputError(Exception):
    error_type = "InputError"


def apply(input):
    """Seconds as a JSON number or as text -> that number, that much later."""
    seconds = read_seconds(input)
    time.sleep(seconds)
    return seconds


def read_seconds(input):
    """The number of seconds, 0 to SECONDS_MAX. Raises InputError."""
    seconds = input
    if isinstance(input, str):
        try:
            number = float(input)
        except ValueError:
            raise InputError(f"expected a number of seconds, got the text {input!r:.80}") from None
        seconds = int(number) if number.is_integer() else number
    if type(seconds) not in (int, float):  # True and False are numbers to isinstance.
        raise InputError(f"expected a number of seconds, got {type(input).__name__}")
    if not 0 <= seconds <= SECONDS_MAX:
        raise InputError(f"seconds must be 0 to {SECONDS_MAX}, got {seconds!r:.80}")
    return seconds
