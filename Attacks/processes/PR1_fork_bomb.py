"""PR1: forks for ever."""
import os

DEED = "forks in a loop, in every process, until something stops it"
EXPECTED = "forks are refused at the limit; the call ends as a process limit; everything is gone at once"
CLASS = "exhaustion of processes"
OPTIONS = ("--timeout", 2)


def apply(_):
    while True:
        try:
            os.fork()
        except OSError:
            pass


def judge(outside):
    reply = outside.call()
    seconds = outside.gone()
    outside.failed(reply, "ProcessLimitError")
    outside.held(seconds < 0.5, f"processes were there for {seconds:.3f} s")
