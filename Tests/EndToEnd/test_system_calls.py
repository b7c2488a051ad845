"""What the operator's choice of system calls means to code: event loops or file locks, writable code or not."""
import os
import tempfile
import unittest

from harness import Daemon

ALGORITHM = '''
import errno, fcntl, mmap, select
def tried(deed):
    try:
        deed()
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]
def lock():
    with open("/tmp/x", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
def record():
    with open("/tmp/x", "w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
def code():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
def apply(_):
    return {deed.__name__: tried(deed) for deed in (select.epoll, lock, record, code)}
'''
EVENTS = {"epoll": "done", "lock": "ENOLCK", "record": "ENOLCK"}
EXPECTED = {
    "python": {"epoll": "ENOSYS", "lock": "done", "record": "done", "code": "ENOSYS"},
    "general": EVENTS | {"code": "ENOSYS"}, "jit": EVENTS | {"code": "done"}, "native": EVENTS | {"code": "done"},
}


class SystemCalls(unittest.TestCase):
    def outcome(self, name):
        daemon = Daemon({"system_calls": name}).start()
        self.addCleanup(daemon.close)
        author = daemon.user("author", "100")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "tries.py"), "w") as file:
                file.write(ALGORITHM)
            algorithm = daemon.deploy(folder, author, name="tries")
        return daemon.call(algorithm, "x", author).json["result"]

    def test_each_set_gives_what_it_says(self):
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                self.assertEqual(self.outcome(name), expected)


if __name__ == "__main__":
    unittest.main()
