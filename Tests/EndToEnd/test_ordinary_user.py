"""`faasd serve` from an ordinary user, with ids and control groups that root has given to it and nothing else of root's."""
import errno
import os
import subprocess
import tempfile
import threading
import unittest

import boxes
import test_box
from harness import EXAMPLES, DaemonCase
from host import BINARIES, REPOSITORY, import_algorithmia, wait_until
from ordinary import CONTROLLERS, IDS, OrdinaryDaemon, User

MIB = 1 << 20

# What code of an author sees of devices and locks.
LOOKS_AT_DEVICES = """
import fcntl, os, stat

def attempt(act):
    try:
        return act() or "done"
    except OSError as error:
        return error.strerror

def apply(_):
    found = {}
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        status = os.stat("/dev/" + name)
        found[name] = stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, minor)
    with open("/dev/null", "r+b", buffering=0) as null, open("/tmp/file", "w") as file:
        found["written"], found["read"] = null.write(b"x"), null.read(1).decode()
        found["random"] = len(open("/dev/urandom", "rb").read(16)) == 16
        found["flock"] = [attempt(lambda: fcntl.flock(f, fcntl.LOCK_EX)) for f in (0, null, file)]
        found["lockf"] = [attempt(lambda: fcntl.lockf(f, fcntl.LOCK_EX)) for f in (null, file)]
    found["utime"] = attempt(lambda: os.utime("/dev/null"))
    found["chmod"] = attempt(lambda: os.chmod("/dev/null", 0o600))
    found["replace"] = attempt(lambda: os.unlink("/dev/null"))
    return found
"""


class FromOutside(test_box.FromOutside):
    """Everything that is true of a box of root's spawner, of a box of an ordinary user's."""

    make = OrdinaryDaemon
    # Emptying the bounding set takes a capability; what is in it is worth nothing without new privileges.
    capability_sets = ("CapInh", "CapPrm", "CapEff", "CapAmb")

    def uid_of_the_daemon(self):
        return self.daemon.user_of_host.uid

    def test_its_ids_are_of_the_range_that_was_given_to_the_user(self):
        user = self.daemon.user_of_host
        for field, first in (("Uid", user.first_uid), ("Gid", user.first_gid)):
            ids = {int(number) for number in self.status[field].split()}
            self.assertEqual(len(ids), 1, self.status[field])
            self.assertTrue(first < ids.pop() < first + IDS, self.status[field])

    def test_no_process_of_ours_is_roots(self):
        pids = [self.daemon.pid, self.daemon.spawner_pid(), *boxes.processes(self.group)]
        for pid in pids:
            status = boxes.status(pid)
            self.assertNotIn("0", status["Uid"].split() + status["Gid"].split(), status["Name"])
        own = boxes.status(self.daemon.pid)
        self.assertEqual((own["CapEff"], own["CapPrm"], own["NoNewPrivs"], own["Seccomp"]), ("0" * 16, "0" * 16, "1", "2"))

    def test_the_spawner_is_root_in_its_own_user_namespace_only(self):
        self.assertNotEqual(*(os.readlink(f"/proc/{pid}/ns/user") for pid in (self.daemon.spawner_pid(), self.daemon.pid)))
        self.assertEqual(os.readlink(f"/proc/{self.daemon.pid}/ns/user"), os.readlink("/proc/self/ns/user"))


class Calls(DaemonCase):
    make = OrdinaryDaemon

    def test_an_example_answers_the_official_client(self):
        name = self.daemon.deploy(os.path.join(EXAMPLES, "hello"), self.author, name="hello")
        client = import_algorithmia().client(self.caller.key, f"http://127.0.0.1:{self.daemon.port}")
        self.assertEqual(client.algo(name).pipe("Anna").result, "Hello Anna")
        self.daemon.audit()

    def test_the_limit_of_memory_kills(self):
        eats = self.daemon.deploy("eats_memory", self.author, "--memory", 64)
        reply = self.daemon.call(eats, "", self.caller)
        self.assert_error(reply, "OutOfMemoryError", 64 * MIB)
        self.assert_answers_at_once()

    def test_the_limit_of_processes_holds(self):
        forks = self.daemon.deploy("forks_forever", self.author)
        self.assert_error(self.daemon.call(forks, "", self.caller, query="?timeout=2"), "ProcessLimitError", 64)
        self.assert_answers_at_once()

    def test_devices_work_and_nothing_can_be_locked_on_them(self):
        folder = os.path.join(self.daemon.state, "looks")
        os.makedirs(folder)
        with open(os.path.join(folder, "looks.py"), "w", encoding="utf-8") as file:
            file.write(LOOKS_AT_DEVICES)
        found = self.daemon.call(self.daemon.deploy(folder, self.author), "", self.caller).json["result"]
        refused = "No locks available"
        expected = {name: True for name in ("null", "zero", "full", "random", "urandom")}
        expected |= {"written": 1, "read": "", "flock": [refused] * 3, "lockf": [refused] * 2}
        self.assertEqual({key: found[key] for key in expected}, expected)
        for act in ("utime", "chmod", "replace"):
            self.assertIn(found[act], ("Read-only file system", "Permission denied", "Operation not permitted"), act)

    def test_a_crash_of_the_daemon_leaves_nothing(self):
        daemon = OrdinaryDaemon()
        self.addCleanup(daemon.close)
        daemon.start()
        author = daemon.user("author")
        sleeps = daemon.deploy("sleeps", author)
        thread = threading.Thread(target=lambda: self._ignore(daemon, sleeps, author))
        thread.start()
        self.addCleanup(thread.join)
        wait_until(lambda: boxes.processes(daemon.group), 5, "a worker runs")
        daemon.kill9()
        daemon.wait_for_nothing()
        daemon.start()

    @staticmethod
    def _ignore(daemon, name, user):
        try:
            daemon.call(name, "20", user)
        except OSError:
            pass


class VersionOneOnly(OrdinaryDaemon):
    """A daemon whose user was given no group of version 2."""

    controllers = CONTROLLERS - {"unified"}


@unittest.skipUnless(any("freezer" in has for _, has in boxes.mounts()), "needs the freezer of version 1")
class Freezer(DaemonCase):
    """The spawner kills process by process there, and may, because the boxes' user namespaces are its own."""

    make = VersionOneOnly

    def test_boxes_are_frozen_killed_and_removed(self):
        self.assertIn("version 1 (", self.daemon.log_text())
        eats = self.daemon.deploy("eats_memory", self.author, "--memory", 64)
        self.assert_error(self.daemon.call(eats, "", self.caller), "OutOfMemoryError", 64 * MIB)
        forks = self.daemon.deploy("forks_forever", self.author)
        self.assert_error(self.daemon.call(forks, "", self.caller, query="?timeout=2"), "ProcessLimitError", 64)
        self.assert_answers_at_once()
        (box,) = boxes.names(self.daemon.group)
        wait_until(lambda: boxes.is_frozen(self.daemon.group, box), 2, "the worker is frozen")
        self.daemon.kill9()
        self.daemon.wait_for_nothing()
        self.daemon.start()


class Refusals(unittest.TestCase):
    """What is missing is said, with the remedy, and nothing is served without limits."""

    def refusal(self, change):
        daemon = OrdinaryDaemon()
        self.addCleanup(daemon.close)
        change(daemon)
        done = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def without(self, *controllers):
        return lambda daemon: setattr(daemon, "controllers", CONTROLLERS - set(controllers))

    @unittest.skipUnless(any("memory" in has for _, has in boxes.mounts()), "limits are version 2's: one group has all of them")
    def test_each_control_group_that_was_not_given(self):
        for controller in ("memory", "pids", "cpu"):
            said = self.refusal(self.without(controller))
            for word in (f"no {controller}", "given to this user", "faasd doctor"):
                self.assertIn(word, said)

    def test_no_control_group_at_all(self):
        said = self.refusal(self.without(*CONTROLLERS))
        for word in ("memory", "pids", "cpu", "freezer", "given to this user", "faasd doctor"):
            self.assertIn(word, said)
        # One trusted tenant may do without limits, but not without the means to stop a box.
        daemon = OrdinaryDaemon()
        self.addCleanup(daemon.close)
        daemon.controllers = set()
        done = subprocess.run(daemon.command() + ["--insecure-single-tenant"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("freezer", done.stderr)

    @unittest.skipUnless(any("memory" in has for _, has in boxes.mounts()), "limits are version 2's: one group has all of them")
    def test_one_trusted_tenant_is_served_without_limits_loudly(self):
        daemon = OrdinaryDaemon()
        self.addCleanup(daemon.close)
        daemon.controllers = {"unified"}
        command = daemon.command()
        daemon.command = lambda: command + ["--insecure-single-tenant"]
        daemon.start()
        self.assertIn("INSECURE", daemon.log_text())
        user = daemon.user("only")
        self.assertEqual(daemon.call(daemon.deploy("echo", user), "x", user).json["result"], "x")

    def test_no_range_of_ids_or_one_too_small(self):
        for ids, word in ((0, "no range"), (8191, "a range of 8191")):
            said = self.refusal(lambda daemon, ids=ids: daemon.user_of_host.set_range(ids))
            for part in (word, "8192", "usermod --add-subuids"):
                self.assertIn(part, said)

    def test_a_range_of_somebody_else(self):
        """Our own reading of the files may be wrong; that of newuidmap counts."""
        launcher = os.path.join(BINARIES, "faasd-userns")
        user = User()
        self.addCleanup(user.remove)
        for ids in (("100", str(user.first_gid), "8192"), (str(user.first_uid), "100", "8192"),
                    (str(user.first_uid + IDS - 8191), str(user.first_gid), "8192"), ("0", "0", "1")):
            done = subprocess.run(user.line([launcher, *ids, "/bin/true"]), capture_output=True, text=True, timeout=10)
            self.assertEqual(done.returncode, 1, ids)
            self.assertIn("refused ids", done.stderr)
        fits = [str(user.first_uid + IDS - 8192), str(user.first_gid), "8192"]
        done = subprocess.run(user.line([launcher, *fits, "/bin/cat"]), input="", capture_output=True, text=True, timeout=10)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_another_user_cannot_be_become(self):
        def change(daemon):
            command = daemon.command()
            daemon.command = lambda: command + ["--user", "faasd"]
        self.assertIn("only root can become another user", self.refusal(change))


class Doctor(unittest.TestCase):
    def setUp(self):
        self.user = User()
        self.addCleanup(self.user.remove)

    def ask(self, groups):
        line = [os.path.join(BINARIES, "faasd"), "doctor", "--runtimes", REPOSITORY + "/Runtimes"]
        return subprocess.run(self.user.line(line, groups), capture_output=True, text=True, timeout=60)

    def test_it_tries_a_box_where_all_is_given(self):
        done = self.ask(self.user.groups())
        self.assertEqual(done.returncode, 0, done.stdout)
        for words in ("ordinary user " + self.user.name, str(self.user.first_uid), "a box on overlays", "none in boxes"):
            self.assertIn(words, done.stdout)

    def test_it_says_what_is_not_given(self):
        self.user.set_range(0)
        done = self.ask([])
        self.assertEqual(done.returncode, 1)
        for words in ("usermod --add-subuids", "From an ordinary user"):
            self.assertIn(words, done.stdout)


class Confinement(unittest.TestCase):
    """What the daemon puts itself under when it is an ordinary user's, by its own code in a small program."""

    PROGRAM = r"""
    #include "csandbox.h"
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    static void say(const char *what, int result) { printf("%s %d\n", what, result >= 0 ? 0 : errno); }
    int main(int count, char **paths)
    {
        (void)count;
        char memory[64];
        pid_t other = fork();
        if (other == 0) { pause(); _exit(0); }
        snprintf(memory, sizeof memory, "/proc/%d/mem", (int)other);
        say("before", open(memory, O_RDWR));
        const char *places[] = { paths[1] };
        int code = sbx_confine(strtoull(paths[3], NULL, 0), strtoull(paths[4], NULL, 0), places, 1);
        printf("confine %d\n", code);
        say("memory", open(memory, O_RDWR));
        say("inside", open(paths[1], O_TMPFILE | O_RDWR, 0600));
        say("outside", open(paths[2], O_TMPFILE | O_RDWR, 0600));
        kill(other, SIGKILL);
        return 0;
    }
    """

    FILE_RIGHTS, READING = 0x7FFF, 0xC  # Landlock's, as of ABI 3.

    def test_it_can_look_into_no_other_process_and_write_nowhere_else(self):
        user = User()
        self.addCleanup(user.remove)
        with tempfile.TemporaryDirectory(dir="/var/lib") as folder:
            source, program = os.path.join(folder, "main.c"), os.path.join(folder, "program")
            places = [os.path.join(folder, name) for name in ("inside", "outside")]
            with open(source, "w", encoding="utf-8") as file:
                file.write(self.PROGRAM)
            sources = os.path.join(REPOSITORY, "Sources")
            include = [flag for name in ("CSandbox", "CSpawnerProtocol") for flag in ("-I", f"{sources}/{name}/include")]
            subprocess.run(["cc", "-D_GNU_SOURCE", "-w", *include, "-o", program, source, f"{sources}/CSandbox/process.c",
                            "-lcap"], check=True)
            for place in places:
                os.mkdir(place)
                os.chown(place, user.uid, user.gid)
            os.chmod(folder, 0o755)
            handled = self.FILE_RIGHTS & ~self.READING
            line = user.line([program, *places, hex(handled), hex(handled & ~1)])
            said = subprocess.run(line, capture_output=True, text=True, check=True, timeout=10).stdout
        results = dict(line.split() for line in said.splitlines())
        self.assertIn(results.pop("memory"), (str(errno.EPERM), str(errno.EACCES)))
        self.assertEqual(results, {"before": "0", "confine": "0", "inside": "0", "outside": str(errno.EACCES)})


if __name__ == "__main__":
    unittest.main()
