"""What the standard library does of its own accord works in a box: the set of system calls is not too small for it."""
import os
import tempfile
import unittest

from harness import Daemon

ALGORITHM = '''
import asyncio, concurrent.futures, ctypes, fcntl, mmap, multiprocessing, os, queue, random, select, selectors, shutil
import signal, socket, sqlite3, stat, subprocess, sys, tarfile, tempfile, threading, time, uuid, zipfile, zoneinfo

def square(number): return number * number

def processes():
    with multiprocessing.get_context("fork").Pool(2) as pool: forked = pool.map(square, range(4))
    with concurrent.futures.ProcessPoolExecutor(2) as pool: return forked + list(pool.map(square, range(4)))

def manager():
    with multiprocessing.Manager() as shared:
        values = shared.list([1]); values.append(2); return list(values)

def shared_memory():
    from multiprocessing import shared_memory
    block = shared_memory.SharedMemory(create=True, size=4096)
    block.buf[:3] = b"abc"; kept = bytes(block.buf[:3]); block.close(); block.unlink(); return kept.decode()

def threads():
    with concurrent.futures.ThreadPoolExecutor(8) as pool: return sum(pool.map(square, range(9)))

def loop():
    async def work():
        await asyncio.sleep(0.01)
        process = await asyncio.create_subprocess_exec("/usr/bin/echo", "loop", stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0].decode()
    return asyncio.run(work())

def shell(): return subprocess.run("for i in 3 1 2; do echo $i; done | sort | tr -d '\\\\n'; ls -l / | wc -l", shell=True, capture_output=True, text=True, check=True).stdout[:3]

def database():
    with sqlite3.connect("/tmp/a.db") as one:
        one.execute("CREATE TABLE t(n)"); one.execute("INSERT INTO t VALUES (7)")
    two = sqlite3.connect("/tmp/a.db"); two.execute("PRAGMA journal_mode=wal"); return two.execute("SELECT n FROM t").fetchone()[0]

def locks():
    with open("/tmp/l", "w") as one, open("/tmp/l", "w") as two:
        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try: fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError: return "exclusive"

def files():
    folder = tempfile.mkdtemp(); path = os.path.join(folder, "a")
    with open(path, "wb") as file: file.write(b"x" * 9000); os.posix_fallocate(file.fileno(), 0, 9000); os.fsync(file.fileno())
    shutil.copy2(path, path + "b"); os.symlink(path, path + "l"); os.link(path, path + "h"); os.chmod(path, 0o600)
    os.utime(path, (1, 1)); os.rename(path + "b", path + "c"); os.truncate(os.open(path, os.O_RDWR), 3)
    with tarfile.open(folder + ".tar", "w") as tar: tar.add(folder)
    with zipfile.ZipFile(folder + ".zip", "w") as archive: archive.write(path)
    os.makedirs(folder + "/x/y"); found = sorted(entry.name for entry in os.scandir(folder)); shutil.copytree(folder + "/x", folder + "/z")
    os.stat(os.path.realpath(path + "l")); shutil.disk_usage("/tmp"); shutil.rmtree(folder); return found

def signals():
    seen = []; signal.signal(signal.SIGALRM, lambda *_: seen.append(1)); signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(0.05)
    signal.alarm(0); return len(seen)

def sockets():
    path = "/tmp/s"; server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen()
    client = socket.socket(socket.AF_UNIX); client.connect(path); other, _ = server.accept(); client.sendall(b"hi"); return other.recv(9).decode()

def memory():
    with mmap.mmap(-1, 1 << 20) as pages: pages[:2] = b"ok"; pages.resize(1 << 21); pages.flush(); return pages[:2].decode()

def waiting():
    one, two = os.pipe(); os.write(two, b"x"); chosen = selectors.DefaultSelector(); chosen.register(one, selectors.EVENT_READ)
    poll = select.poll(); poll.register(one, select.POLLIN); return [len(chosen.select(1)), len(poll.poll(100)), len(select.select([one], [], [], 1)[0])]

def odds():
    os.nice(0) if False else None; os.getloadavg; os.cpu_count(); os.sched_getaffinity(0); os.times(); uuid.uuid4(); os.urandom(4); os.uname()
    zoneinfo.ZoneInfo("Europe/Berlin"); ctypes.CDLL(None).getpid(); sys.getswitchinterval(); time.get_clock_info("process_time"); return os.getcwd() and "fine"

WORK = {work.__name__: work for work in (processes, manager, shared_memory, threads, loop, shell, database, locks, files, signals, sockets, memory, waiting, odds)}

def apply(name):
    return WORK[name]()
'''
EXPECTED = {
    "processes": [0, 1, 4, 9] * 2, "manager": [1, 2], "shared_memory": "abc", "threads": 204, "loop": "loop\n", "shell": "123",
    "database": 7, "locks": "exclusive", "files": ["a", "ac", "ah", "al", "x"], "signals": 1, "sockets": "hi", "memory": "ok",
    "waiting": [1, 1, 1], "odds": "fine",
}


class PythonNeeds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon().start()
        cls.addClassCleanup(cls.daemon.close)
        cls.author = cls.daemon.user("author", "1000")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "needs.py"), "w") as file:
                file.write(ALGORITHM)
            cls.name = cls.daemon.deploy(folder, cls.author, name="needs")

    def test_each_part_of_the_standard_library_works(self):
        for work, expected in EXPECTED.items():
            with self.subTest(work):
                reply = self.daemon.call(self.name, work, self.author)
                self.assertEqual(reply.json.get("result"), expected, reply.json.get("error"))


if __name__ == "__main__":
    unittest.main()
