"""Starts the real daemon on a state directory of its own, and drives it as administrators and callers do.

Environment: FAASD_BIN is the folder with faasd, faasctl and faasd-spawner (default .build/debug); FAASD_ALGORITHMIA is
a folder into which `pip install --target` has put algorithmia==2.0.5.
"""
import collections
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

import boxes
from host import BINARIES, HOST_USER, REPOSITORY, check_host, free_port, wait_until
from wire import Unix, ask

FIXTURES = os.path.join(REPOSITORY, "Tests", "Fixtures", "algorithms")
EXAMPLES = os.path.join(REPOSITORY, "Examples")
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 45

User = collections.namedtuple("User", "name key key_id")
Printed = collections.namedtuple("Printed", "code document out err")


class Daemon:
    """One faasd, its state directory, and the ways to talk to it."""

    def __init__(self, config=None):
        check_host()
        self.state = tempfile.mkdtemp(prefix="faasd-test-", dir="/var/lib")
        os.chmod(self.state, 0o755)
        self.port = free_port()
        self.socket_path = os.path.join(self.state, "faasd.sock")
        self.group = boxes.group_name(self.state)
        self.log = tempfile.TemporaryFile()
        self.process = None
        self._config = None
        if config is not None:
            with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="faasd-test-", delete=False) as file:
                json.dump(config, file)
            self._config = file.name

    def command(self):
        line = [os.path.join(BINARIES, "faasd"), "serve", "--state-dir", self.state]
        line += ["--listen", f"127.0.0.1:{self.port}", "--user", HOST_USER, "--runtimes", REPOSITORY + "/Runtimes"]
        return line + (["--config", self._config] if self._config else [])

    def start(self):
        """Starts it, and waits until it serves on both of its addresses."""
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until(self._serves, START_SECONDS_MAX, "faasd serves")
        return self

    def _serves(self):
        if self.process.poll() is not None:
            raise AssertionError(f"faasd ended with code {self.process.returncode} at its start:\n{self.log_text()}")
        try:
            # 503 is a daemon that serves, and takes no calls because its ledger was found wrong.
            return ask(self.port, "GET", "/healthz").status in (200, 503) and os.path.exists(self.socket_path)
        except OSError:
            return False

    def log_text(self):
        """The end of what it wrote to its log."""
        self.log.flush()
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), 8192, max(0, size - 8192)).decode("utf-8", "replace")

    @property
    def pid(self):
        return self.process.pid

    def spawner_pid(self):
        """The one child of the daemon."""
        children = boxes.children(self.pid)
        assert len(children) == 1, f"faasd has the children {children}, expected its spawner only"
        return children[0]

    def stop(self):
        """Asks it to end, as a service manager does; it must do so with code 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"faasd ended with code {code} after SIGTERM:\n{self.log_text()}"

    def wait(self, seconds=STOP_SECONDS_MAX):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"faasd runs {seconds} s longer than it should:\n{self.log_text()}") from None
        self.process = None
        return code

    def kill9(self):
        """Kills the daemon without warning; its spawner must notice and end."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def wait_for_nothing(self, seconds=10):
        """Waits until neither a process of a box nor its control group is left."""
        wait_until(lambda: not boxes.processes(self.group, True), seconds, f"no process of {self.group} is left")
        wait_until(lambda: not boxes.directories(self.group, True), seconds, f"no control group of {self.group} is left")

    def close(self):
        """Ends it in the orderly way, and leaves nothing behind."""
        try:
            if self.process is not None:
                self.stop()
                assert not boxes.bases(self.group), f"control groups of {self.group} are left behind"
            self.wait_for_nothing()
        finally:
            if self.process is not None:
                self.kill9()
            shutil.rmtree(self.state, ignore_errors=True)
            if self._config:
                os.unlink(self._config)
            self.log.close()

    # What administrators do.

    def run_ctl(self, *arguments):
        """faasctl as it is, connection left to the caller."""
        program = os.path.join(BINARIES, "faasctl")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("FAASD_")}
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, timeout=180,
                              stdin=subprocess.DEVNULL, env=environment)
        document = json.loads(done.stdout) if "--json" in arguments and done.stdout else None
        return Printed(done.returncode, document, done.stdout.decode(), done.stderr.decode())

    def ctl(self, *arguments):
        """faasctl over the Unix socket with --json: the exit code and the one document it printed."""
        return self.run_ctl(*arguments, "--socket", self.socket_path, "--json")

    def must(self, *arguments):
        """The document of a faasctl that must succeed."""
        printed = self.ctl(*arguments)
        assert printed.code == 0, f"faasctl {' '.join(map(str, arguments))}: {printed}"
        return printed.document

    def manage(self, method, path, body=None, key=None, content_type="application/json"):
        """The management API: over the Unix socket, or with a key over HTTP."""
        payload = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Content-Type": content_type} if payload is not None else {}
        if key is not None:
            return ask(self.port, method, path, payload, {**headers, "Authorization": key})
        return ask(Unix(self.socket_path), method, path, payload, headers)

    def user(self, name, credits="1000", kind="algorithm"):
        """A user with credit and a key."""
        self.must("user", "create", name)
        if credits is not None:
            self.must("credit", "top-up", name, credits, "--ref", f"start-{name}")
        key = self.key(name, kind)
        return User(name, key["key"], key["id"])

    def key(self, name, kind):
        return self.must("key", "create", "--user", name, "--kind", kind)

    def deploy(self, fixture, owner, *options, name=None, public=True):
        """Deploys a folder of the fixtures (or any other path); returns OWNER/NAME."""
        folder = fixture if os.path.isabs(fixture) else os.path.join(FIXTURES, fixture)
        full = f"{owner.name}/{name or os.path.basename(folder)}"
        self.must("algo", "deploy", folder, "--name", full, *(["--public"] if public else []), *options)
        return full

    def post_archive(self, full_name, archive, query="?public=true", key=None):
        """Uploads the bytes of an archive, whatever they are."""
        return self.manage("POST", f"/v1/manage/algorithms/{full_name}/versions{query}", archive, key, "application/gzip")

    def audit(self):
        """The audit of the running daemon, which must find nothing."""
        printed = self.ctl("audit", "run")
        assert printed.code == 0 and printed.document["ok"], f"audit: {printed}"
        return printed.document

    def usage(self, call_id):
        """The usage record of one call, None when there is none."""
        reply = self.manage("GET", f"/v1/manage/usage/{call_id}")
        return reply.json if reply.status == 200 else None

    def balance(self, name):
        return self.manage("GET", f"/v1/manage/accounts/{name}/balance").json

    def ledger_copy(self, path):
        """A consistent copy of the ledger of the running daemon."""
        with sqlite3.connect(f"file:{self.state}/ledger.db?mode=ro", uri=True) as source:
            with sqlite3.connect(path) as copy:
                source.backup(copy)
            copy.close()
        source.close()

    def ledger(self, query, *values):
        """Rows of the ledger as it is on disk."""
        connection = sqlite3.connect(f"file:{self.state}/ledger.db?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    # What callers do.

    def call(self, algorithm, body=b"", user=None, kind="text/plain", query="", headers=(), timeout=60):
        """One call over HTTP; `user` is who pays."""
        fields = {"Content-Type": kind, **dict(headers)}
        if user is not None:
            fields["Authorization"] = user.key
        if kind is None:
            del fields["Content-Type"]
        payload = body.encode() if isinstance(body, str) else body
        return ask(self.port, "POST", f"/v1/algo/{algorithm}{query}", payload, fields, timeout)


class DaemonCase(unittest.TestCase):
    """One daemon for all tests of a class, with an author who has an echo and a caller with credit."""

    config = None
    make = Daemon
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.make(cls.config)
        cls.addClassCleanup(cls.daemon.close)
        cls.daemon.start()
        cls.author = cls.daemon.user("author")
        cls.caller = cls.daemon.user("caller")
        cls.echo = cls.daemon.deploy("echo", cls.author)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """What a class needs besides."""

    def assert_result(self, reply, expected):
        self.assertEqual((reply.status, reply.json.get("result")), (200, expected), reply)

    def assert_error(self, reply, error_type, *words, status=200):
        """An error of that type whose message has all the words."""
        self.assertEqual((reply.status, reply.error.get("error_type")), (status, error_type), reply)
        for word in words:
            self.assertIn(str(word), reply.error["message"], reply)
        self.assertIn("metadata", reply.json, reply)

    def assert_answers_at_once(self):
        """The daemon serves the next call as if nothing had been."""
        began = time.monotonic()
        self.assert_result(self.daemon.call(self.echo, "next", self.caller), "next")
        self.assertLess(time.monotonic() - began, 3, "the next call had to wait")
