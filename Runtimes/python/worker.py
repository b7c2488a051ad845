"""Program of a worker box: `/usr/bin/python3 -I -S -B -u worker.py [--root DIR]`.

Imports the algorithm that INIT names from DIR/code (DIR is /fn unless told) and answers calls until the request pipe
closes. Everything else is in calls.py, so that an installation can keep it compiled: a main program never is.
"""
import os
import sys

_RUNTIME = os.path.dirname(os.path.abspath(__file__))


def _main():
    sys.path.insert(0, _RUNTIME)
    import calls

    calls.run(sys.argv[2] if sys.argv[1:2] == ["--root"] else "/fn")


if __name__ == "__main__":  # A child that multiprocessing starts imports this file too.
    _main()
