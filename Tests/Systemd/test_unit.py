"""dist/faasd.service under systemd, on control groups of version 2 alone.

Runs in the virtual machine of scripts/test-v2.sh only: it starts, kills and changes the machine's own service.
"""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from unit import PATIENCE_SECONDS, Unit, systemctl

import boxes
from host import wait_until

LEFT_OUT = ("ProtectControlGroups=yes", "ProtectHostname=yes", "RestrictNamespaces=yes", "RestrictSUIDSGID=yes")
SPINS_TWICE = """
import os, time

def apply(_):
    child, end = os.fork(), time.monotonic() + 4
    while time.monotonic() < end:
        pass
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
"""
BOX_UIDS = range(1_000_000, 1_010_000)


def setUpModule():
    kinds = {kind for _, kinds in boxes.mounts() for kind in kinds}
    assert kinds == {"unified"}, f"control groups of version 2 alone are needed, here are {kinds}"


def lowered(pid):
    """What a process with the user of this one, and without Landlock, gets when it lowers this one's oom_score_adj."""
    uid = boxes.status(pid)["Uid"].split()[0]
    program = f"import os; os.setuid({uid}); file = open('/proc/{pid}/oom_score_adj', 'w'); file.write('-400'); file.flush()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1].partition(":")[0] if done.returncode else "lowered"


class UnitCase(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.unit = Unit()
        cls.unit.configure()
        cls.unit.start("restart")
        cls.addClassCleanup(cls.unit.stop)
        suffix = f"{cls.__name__.lower()}_{os.getpid()}"
        cls.author, cls.caller = (cls.unit.user(f"{name}_{suffix}") for name in ("author", "caller"))
        cls.echo = cls.unit.deploy("echo", cls.author)

    def deploy(self, fixture, *options):
        return self.unit.deploy(fixture, self.author, *options)

    def assert_serves(self):
        reply = self.unit.call(self.echo, "next", self.caller)
        self.assertEqual((reply.status, reply.json.get("result")), (200, "next"), reply)

    def call_in_background(self, algorithm, body):
        thread = threading.Thread(target=self._call_and_forget, args=(algorithm, body))
        thread.start()
        self.addCleanup(thread.join)
        wait_until(lambda: boxes.processes(self.unit.group), PATIENCE_SECONDS, "the call has a box")

    def _call_and_forget(self, algorithm, body):
        try:
            self.unit.call(algorithm, body, self.caller)
        except OSError:
            pass  # The daemon was ended meanwhile.

    def assert_nothing_is_left_of(self, pids):
        for pid in pids:
            self.assertFalse(os.path.exists(f"/proc/{pid}"), f"process {pid} is left")


class Placement(UnitCase):
    """Where everything lives, and what each box may use."""

    def test_the_daemon_and_its_spawner_live_in_the_leaf(self):
        leaf = "0::/system.slice/faasd.service/supervisor\n"
        for pid in (self.unit.pid, self.unit.spawner_pid()):
            self.assertEqual(boxes.read(f"/proc/{pid}/cgroup"), leaf)
        self.assertEqual(boxes.read(self.unit.path + "/cgroup.procs"), "")
        for needed in ("cpu", "memory", "pids"):
            self.assertIn(needed, boxes.read(self.unit.path + "/cgroup.subtree_control").split())

    def test_a_box_lives_below_the_units_group_with_its_own_limits(self):
        algorithm = self.deploy("whoami", "--memory", 96, "--cpus", 2)
        self.unit.call(algorithm, "", self.caller)
        limits = []
        for path in boxes.directories(self.unit.group):
            read = [boxes.read(f"{path}/{name}").strip() for name in
                    ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max")]
            limits.append(read)
            print(f"{path}: {read}")
        self.assertIn([str(96 << 20), "0", "1", "64", "200000 100000"], limits)

    def test_the_daemon_has_no_capabilities_and_the_spawner_six_of_the_units(self):
        daemon, spawner = (boxes.status(pid) for pid in (self.unit.pid, self.unit.spawner_pid()))
        self.assertEqual({daemon[name] for name in ("CapPrm", "CapEff", "CapBnd")}, {"0" * 16})
        self.assertNotIn("0", daemon["Uid"].split())
        # By linux/capability.h: DAC_OVERRIDE, SETGID, SETUID, SYS_ADMIN, SYS_RESOURCE, MKNOD.
        self.assertEqual(int(spawner["CapEff"], 16), sum(1 << number for number in (1, 6, 7, 21, 24, 27)))

    def test_a_box_goes_before_the_daemon_and_cannot_change_that(self):
        self.unit.call(self.echo, "x", self.caller)
        self.assertEqual(boxes.read(f"/proc/{self.unit.pid}/oom_score_adj").strip(), "-500")
        for pid in boxes.processes(self.unit.group):
            self.assertEqual(boxes.read(f"/proc/{pid}/oom_score_adj").strip(), "500")
            self.assertEqual(lowered(pid), "PermissionError")


class Limits(UnitCase):
    """What happens at each limit, to the call and to the service."""

    def setUp(self):
        self.before = self.unit.pid

    def tearDown(self):
        self.assert_serves()
        self.assertEqual(self.unit.pid, self.before, self.unit.log_text())
        self.assertEqual(self.unit.show("ActiveState"), "active")
        self.assertEqual(self.unit.show("NRestarts"), "0")

    def outcome(self, reply):
        error = reply.json.get("error") or {}
        print(f"{error.get('error_type')}: {error.get('message')}")
        return self.unit.usage(reply.call_id)["outcome"]

    def test_memory(self):
        reply = self.unit.call(self.deploy("eats_memory", "--memory", 64), "", self.caller)
        self.assertEqual(self.outcome(reply), "memory-limit")
        self.assertGreaterEqual(int(boxes.read(self.unit.path + "/memory.events").partition("oom_kill ")[2].split()[0]), 1)

    def test_processes(self):
        reply = self.unit.call(self.deploy("forks_forever"), "", self.caller, query="?timeout=5")
        self.assertEqual(self.outcome(reply), "pids-limit")

    def test_cpu(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/spins_twice.py", "w") as file:
                file.write(SPINS_TWICE)
            algorithm = self.unit.deploy(folder, self.author, "--cpus", 1, name="spins_twice")
        reply = self.unit.call(algorithm, "", self.caller)
        used, lasted = int(reply.headers["X-Faasd-Cpu-Us"]) / 1e6, reply.json["metadata"]["duration"]
        print(f"two processes of a box with one processor used {used:.2f} s of it in {lasted:.2f} s")
        self.assertLess(used, 1.1 * lasted + 0.1)


class Ends(UnitCase):
    """Stops, restarts and crashes leave nothing behind, and the service comes back where it should."""

    def pids(self):
        self.call_in_background(self.sleeps, "60")
        return [self.unit.pid, self.unit.spawner_pid(), *boxes.processes(self.unit.group)]

    def setUp(self):
        self.unit.start("restart")
        self.sleeps = self.deploy("sleeps")

    def assert_came_back(self, pids):
        wait_until(lambda: self.unit.pid not in (0, pids[0]), PATIENCE_SECONDS, "systemd starts it again")
        self.unit.wait_until_it_serves()
        self.assert_nothing_is_left_of(pids)
        self.assertEqual(boxes.directories(self.unit.group), {})
        self.assert_serves()
        self.unit.audit()

    def test_a_restart(self):
        self.unit.configure(f"Environment=FAASD_TEST={time.time()}")
        pids = self.pids()
        self.unit.start("restart")
        self.assert_came_back(pids)

    def test_a_stop(self):
        pids = self.pids()
        self.unit.stop()
        self.assert_nothing_is_left_of(pids)
        self.assertFalse(os.path.exists(self.unit.path), "the unit's control group is left")
        self.assertNotIn("/var/lib/faasd", boxes.read("/proc/self/mounts"))
        users = {os.stat(path).st_uid for path in glob.glob("/proc/[0-9]*") if os.path.exists(path)}
        self.assertEqual([user for user in users if user in BOX_UIDS], [])
        self.unit.start()
        self.assert_serves()

    def test_the_daemon_is_killed(self):
        pids = self.pids()
        os.kill(pids[0], signal.SIGKILL)
        self.assert_came_back(pids)

    def test_the_spawner_is_killed(self):
        pids = self.pids()
        os.kill(pids[1], signal.SIGKILL)
        self.assert_came_back(pids)

    def test_everything_is_killed_at_once(self):
        pids = self.pids()
        with open(self.unit.path + "/cgroup.kill", "w") as file:
            file.write("1")
        self.assert_came_back(pids)


class OomPolicy(UnitCase):
    """The one line without which the service would seem to work."""

    def test_with_systemds_default_oom_policy_one_box_at_its_limit_would_stop_the_service(self):
        self.addCleanup(self.unit.configure)
        self.unit.configure("OOMPolicy=stop", "Restart=no")
        self.unit.start("restart")
        algorithm = self.deploy("eats_memory", "--memory", 64)
        try:
            self.unit.call(algorithm, "", self.caller)
        except OSError:
            pass
        wait_until(lambda: self.unit.show("ActiveState") == "failed", PATIENCE_SECONDS, "systemd stops the unit")
        self.assertEqual(self.unit.show("Result"), "oom-kill")
        systemctl("reset-failed", "faasd.service")


class Lines(UnitCase):
    """What each line of its confinement is for, and those that it does not have. Each start is a first one."""

    def came_of(self, *lines):
        """What comes of a first start, and of a call, with these lines added to the unit."""
        self.unit.stop()
        shutil.rmtree(self.unit.state)
        self.unit.configure(*lines, "Restart=no")
        systemctl("start", "faasd.service", is_checked=False)
        wait_until(lambda: self.unit.answers() or self.unit.show("ActiveState") == "failed", PATIENCE_SECONDS, "it starts or fails")
        if not self.unit.answers():
            systemctl("reset-failed", "faasd.service")
            return "no start: " + next(line for line in self.unit.log_text().splitlines()[::-1] if line.startswith("faasd: "))
        user = self.unit.user("somebody")
        try:
            self.unit.call(self.unit.deploy("echo", user), "x", user)
            return "a box's oom_score_adj: " + lowered(next(iter(boxes.processes(self.unit.group))))
        except (AssertionError, StopIteration) as error:
            said = re.search(r"'message': ['\"](.*?)['\"]}", str(error))
            return f"no box: {said[1] if said else type(error).__name__}"

    def test_without_any_one_of_its_capabilities_it_does_not_start_or_has_a_hole(self):
        self.addCleanup(self.unit.configure)
        whole = self.unit.show("CapabilityBoundingSet").upper().split()
        for capability in whole:
            rest = " ".join(name for name in whole if name != capability)
            came = self.came_of("CapabilityBoundingSet=", f"CapabilityBoundingSet={rest}")
            print(f"without {capability}: {came}", flush=True)
            self.assertRegex(came, "lowered" if capability == "CAP_SYS_RESOURCE" else "no start|no box")

    def test_with_any_one_of_the_lines_it_leaves_out_no_box_can_be_made(self):
        self.addCleanup(self.unit.configure)
        for line in LEFT_OUT:
            came = self.came_of(line)
            print(f"with {line}: {came}", flush=True)
            with self.subTest(line):
                self.assertRegex(came, "no start|no box")


if __name__ == "__main__":
    unittest.main()
