"""What an attack looks like from outside: its calls, the host's processes, files and sockets, the ledger."""
import json
import os
import socket
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "Tests", "EndToEnd")]

import boxes
import wire

GONE_SECONDS = 2.0


class Escaped(AssertionError):
    """An attack got further than it may; the message says how."""


class Canaries:
    """Things of the host that no box may touch: a secret file, listeners for every family, a Unix socket."""

    SECRET = "canary-5f1d9f0e"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="faasd-canary-", dir="/var/tmp")
        os.chmod(self.folder, 0o777)
        self.file = os.path.join(self.folder, "secret.txt")
        with open(self.file, "w") as file:
            file.write(self.SECRET)
        os.chmod(self.file, 0o666)
        self.contacts = []
        self._sockets = []
        self.tcp = self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.udp = self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self.unix = os.path.join(self.folder, "unix.sock")
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, self.unix)
        self.abstract = "faasd-canary-" + os.path.basename(self.folder)
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        os.chmod(self.unix, 0o777)

    def _listen(self, family, kind, address):
        opened = socket.socket(family, kind)
        opened.bind(address)
        if kind == socket.SOCK_STREAM:
            opened.listen()
        self._sockets.append(opened)
        threading.Thread(target=self._watch, args=(opened, address), daemon=True).start()
        return opened.getsockname()[1] if family == socket.AF_INET else address

    def _watch(self, opened, address):
        while True:
            try:
                if opened.type == socket.SOCK_STREAM:
                    opened.accept()[0].close()
                else:
                    opened.recvfrom(4096)
            except OSError:
                return
            self.contacts.append(str(address))

    def close(self):
        for opened in self._sockets:
            opened.close()
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        os.rmdir(self.folder)


class Outside:
    """One attack's view of the host; every method that judges raises Escaped."""

    def __init__(self, daemon, canaries, attacker, victim, algorithm, source):
        self.daemon, self.canaries = daemon, canaries
        self.attacker, self.victim = attacker, victim
        self.algorithm, self.source = algorithm, source
        self._boxes_before = boxes.names(daemon.group)
        self._bytes_before = self._all_bytes()

    # What the attacker does.

    def call(self, body=None, user=None, query="", algorithm=None, timeout=60):
        """A call of the attack: bytes and text as they are, anything else as JSON."""
        kind = "application/octet-stream" if isinstance(body, bytes) else "text/plain" if isinstance(body, str) else "application/json"
        payload = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.daemon.call(algorithm or self.algorithm, payload, user or self.attacker, kind, query, timeout=timeout)

    def deploy(self, name, files, *options):
        """Deploys these files, {path: text}, as NAME of the attacker; returns OWNER/NAME."""
        with tempfile.TemporaryDirectory(prefix="faasd-attack-") as folder:
            for path, text in files.items():
                full = os.path.join(folder, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w") as file:
                    file.write(text)
            return self.daemon.deploy(folder, self.attacker, *options, name=name)

    def publish(self, name, source, *options):
        """Deploys a repository as it was published for Algorithmia, whose module is this; returns OWNER/NAME."""
        conf = json.dumps({"username": self.attacker.name, "algoname": name, "language": "python3.x"})
        files = {"algorithmia.conf": conf, "src/__init__.py": "", f"src/{name}.py": source}
        return self.deploy(name, files, *options)

    def request(self, method, path, body=None, headers=()):
        """Any request over TCP."""
        return wire.ask(self.daemon.port, method, path, body, dict(headers))

    def talk(self, data, timeout=10):
        """Bytes over a connection of their own; what came back, whatever it is, until the end or the time."""
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=timeout) as raw:
            said = b""
            try:
                raw.sendall(data)
                while piece := raw.recv(65536):
                    said += piece
            except OSError:
                pass
            return said

    # How it is judged.

    def held(self, condition, how_not):
        """The attack is held if the condition is; else this is how it got further."""
        if not condition:
            raise Escaped(how_not)

    def answered(self, reply, expected):
        """The code went on and saw this: a value, or one of several when a tuple is given."""
        found = reply.json.get("result", reply.json.get("error"))
        wanted = expected if isinstance(expected, tuple) else (expected,)
        self.held(reply.status == 200 and found in wanted, f"it saw {found!r:.300}, expected {expected!r:.200}")

    def each(self, reply, *allowed):
        """The code tried several things and answered {thing: outcome}; each outcome is one of those allowed."""
        found = reply.json.get("result")
        self.held(isinstance(found, dict) and found, f"it answered {reply.body[:300]!r}")
        for thing, outcome in found.items():
            self.held(outcome in allowed, f"{thing}: {outcome!r:.200}, expected one of {allowed}")

    def failed(self, reply, *types):
        """The call failed with one of these error types."""
        error = reply.json.get("error") or {}
        self.held(error.get("error_type") in types, f"the answer is {reply.body[:300]!r}, expected one of {types}")

    def gone(self, within=GONE_SECONDS):
        """No box of the attack has a process any more, or its worker sleeps frozen; how long that took, in seconds."""
        began = time.monotonic()
        while True:
            left = self.awake()
            if not left:
                return time.monotonic() - began
            self.held(time.monotonic() - began < within, f"processes {left} are left after {within} s")
            time.sleep(0.002)

    def awake(self):
        """Processes of boxes that were not there before the attack and are not frozen: {pid: box}."""
        found, bystanders = {}, self.bystanders
        for pid, box in boxes.processes(self.daemon.group).items():
            if box in self._boxes_before or box in bystanders:
                continue
            try:
                if not boxes.is_frozen(self.daemon.group, box):
                    found[pid] = box
            except (AssertionError, OSError):
                pass  # It ended while we looked.
        return found

    BYSTANDERS_FILE = "passer_by.txt"
    """A file beside the bystander's code that no attack has."""

    @property
    def bystanders(self):
        """Boxes of the bystander, which go on working; one may have taken the place of another."""
        found = set()
        for pid, box in boxes.processes(self.daemon.group).items():
            if os.path.exists(f"/proc/{pid}/root/fn/code/{self.BYSTANDERS_FILE}"):
                found.add(box)
        return found

    def untouched(self):
        """Nothing of the host was read, written or contacted."""
        with open(self.canaries.file) as file:
            self.held(file.read() == Canaries.SECRET, "the canary file was changed")
        known = {os.path.basename(self.canaries.file), os.path.basename(self.canaries.unix)}
        self.held(set(os.listdir(self.canaries.folder)) == known, f"files were made in {self.canaries.folder}")
        self.held(not self.canaries.contacts, f"listeners of the host were contacted: {self.canaries.contacts}")

    def kept_secret(self, *replies):
        """The canary's content is in no answer."""
        for reply in replies:
            self.held(Canaries.SECRET.encode() not in reply.body, "the canary's secret is in an answer")

    def memory_bytes(self):
        """Resident memory of the daemon."""
        return int(boxes.status(self.daemon.pid)["VmRSS"].split()[0]) * 1024

    def descriptors(self):
        """How many descriptors the daemon has open."""
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def workers(self):
        """The first processes of the attack's boxes, asleep or not: {pid: box}. That is number 1, or a template's fork."""
        there = boxes.processes(self.daemon.group)
        bystanders, templates = self.bystanders, self._templates(there)
        ours = {pid: box for pid, box in there.items() if box not in self._boxes_before and box not in bystanders}
        return {pid: box for pid, box in ours.items() if pid not in templates and self._is_first(pid, templates)}

    forks = False
    """Whether the attack's workers are forked from templates."""

    def _templates(self, there):
        return boxes.templates(there) if self.forks else {}

    @staticmethod
    def _is_first(pid, templates):
        status = boxes.status(pid)
        return status["NSpid"].split()[-1] == "1" or int(status["PPid"]) in templates

    def root(self):
        """The root of the attack's one worker, as a path of the host."""
        workers = self.workers()
        self.held(len(workers) == 1, f"the attack's workers are {workers}, expected one that still sleeps")
        return f"/proc/{next(iter(workers))}/root"

    def usage(self, reply):
        """The usage record of a call, None when there is none."""
        return self.daemon.usage(reply.call_id)

    def boxes(self):
        """Names of the boxes of the attack, sleeping ones too; without templates, which are given no calls."""
        there = boxes.processes(self.daemon.group)
        return set(there.values()) - set(self._templates(there).values()) - self._boxes_before - self.bystanders

    def free(self, *replies):
        """These calls failed, cost nobody anything, and are the code's own fault, not the platform's."""
        for reply in replies:
            record = self.usage(reply) or {}
            self.held("error" in reply.json, f"it was answered with {reply.body[:200]!r}")
            self.held(record.get("outcome") != "platform-fault", f"it is blamed on the platform: {reply.body[:200]!r}")
            self.held(record.get("amount_microcredits") == 0, f"a failed call cost something: {record}")

    def cpu_microseconds(self, box):
        """CPU time of a box since it was made."""
        return boxes.cpu_microseconds(self.daemon.group, box)

    def watch(self, look, every=0.01):
        """Looks again and again, in a thread, while the block runs: a list of what was seen."""
        return _Watch(look, every)

    def box_bytes(self):
        """Memory that the largest box has taken since the attack began, by its control group.

        Which box is whose is not asked: that takes as long as many an attack.
        """
        return max((held - self._bytes_before.get(box, 0) for box, held in self._all_bytes().items()), default=0)

    def _all_bytes(self):
        found = {}
        for point, base in boxes.bases(self.daemon.group).items():
            for file in ("memory.usage_in_bytes", "memory.current"):
                for name in os.listdir(base):
                    try:
                        found[name] = int(boxes.read(f"{base}/{name}/{file}"))
                    except OSError:
                        pass  # Another hierarchy's, no box, or one that has ended.
        return found

    def held_within(self, seen, reply, most, least=0, kind=""):
        """What a box was seen to hold is counted, and not beyond its limit. One that met its limit has held it all, which may be
        over before anybody could look."""
        ended = (reply.json.get("error") or {}).get("error_type")
        top = max(seen, default=0)
        self.held(top <= most and (ended == "OutOfMemoryError" or top > least), f"{kind}: its box held {top} bytes")

    def host_kilobytes(self, name):
        """One field of the host's /proc/meminfo."""
        return int(boxes.read("/proc/meminfo").partition(f"\n{name}:")[2].split()[0])

    def metered(self, reply):
        """CPU microseconds that the daemon says a call used."""
        return int(reply.headers["X-Faasd-Cpu-Us"])

    def environment(self):
        """The daemon's own environment."""
        lines = boxes.read(f"/proc/{self.daemon.pid}/environ").split("\0")
        return dict(line.split("=", 1) for line in lines if "=" in line)


class _Watch:
    """What a look at something vanishing gave while a block ran; looks that fail are left out."""

    def __init__(self, look, every):
        self._look, self._every, self._seen, self._stop = look, every, [], threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self._seen

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(self._every):
            try:
                self._seen.append(self._look())
            except (AssertionError, OSError, ValueError):
                pass  # It ended while we looked.
