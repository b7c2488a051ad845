"""The unit of an ordinary user, below that user's own systemd, on control groups of version 2. Run by make test-v2."""
import os
import pwd
import shutil
import subprocess
import unittest

import unit
import boxes
import harness
from host import wait_until

USER = "anna"
UNIT = "/usr/local/lib/systemd/user/faasd.service"
DROP_IN = "/run/systemd/system/user@.service.d"
MIB = 1 << 20


class UserUnit(unit.Unit):
    """The service of one user, started and ended with the user's systemd."""

    def __init__(self):
        harness.check_host()
        entry = pwd.getpwnam(USER)
        self.uid, home = entry.pw_uid, entry.pw_dir
        self.state, self.port = home + "/.local/state/faasd", 8080
        self.socket_path = self.state + "/faasd.sock"
        self.slice = f"user.slice/user-{self.uid}.slice/user@{self.uid}.service"
        self.wants = home + "/.config/systemd/user/default.target.wants"

    @property
    def group(self):
        return f"{self.slice}/app.slice/faasd.service/{boxes.group_name(self.state)}"

    @property
    def pid(self):
        leaf = f"/sys/fs/cgroup/{self.slice}/app.slice/faasd.service/supervisor/cgroup.procs"
        return min(int(pid) for pid in boxes.read(leaf).split())

    def log_text(self):
        return subprocess.run(["journalctl", "-o", "cat", "-n", "40"], capture_output=True, text=True).stdout

    def start(self):
        subprocess.run(["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "mkdir", "-p", self.wants], check=True)
        os.symlink(UNIT, self.wants + "/faasd.service")
        try:
            unit.systemctl("start", f"user@{self.uid}.service")
            self.wait_until_it_serves()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_text()}") from None
        return self

    def stop(self):
        unit.systemctl("stop", f"user@{self.uid}.service")


class OfAUser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["useradd", "--create-home", USER], check=True)
        cls.addClassCleanup(subprocess.run, ["userdel", "--remove", USER])
        os.makedirs(DROP_IN, exist_ok=True)
        cls.addClassCleanup(shutil.rmtree, DROP_IN)
        with open(DROP_IN + "/faasd.conf", "w", encoding="utf-8") as file:
            # The second line is what pam_systemd adds, where it is installed.
            file.write("[Service]\nDelegate=cpu memory pids\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n")
        unit.systemctl("stop", unit.NAME, is_checked=False)
        unit.systemctl("daemon-reload")
        cls.daemon = UserUnit().start()
        cls.addClassCleanup(cls.daemon.stop)
        cls.author = cls.daemon.user("author")
        cls.echo = cls.daemon.deploy("echo", cls.author)

    def test_a_box_has_the_users_ids_and_limits_of_its_own_below_the_unit(self):
        self.assertEqual(self.daemon.call(self.echo, "x", self.author).json["result"], "x")
        (name,) = [line for line in boxes.read("/etc/subuid").splitlines() if line.startswith(USER + ":")]
        first, count = map(int, name.split(":")[1:])
        found = boxes.processes(self.daemon.group)
        self.assertTrue(found)
        for pid, box in found.items():
            ids = {int(number) for number in boxes.status(pid)["Uid"].split()}
            self.assertTrue(len(ids) == 1 and first < ids.pop() < first + count, boxes.status(pid)["Uid"])
            self.assertNotEqual(boxes.file(self.daemon.group, box, (), "memory.max").strip(), "max")
            self.assertNotEqual(boxes.file(self.daemon.group, box, (), "pids.max").strip(), "max")
            self.assertNotIn("max", boxes.file(self.daemon.group, box, (), "cpu.max"))

    def test_neither_daemon_nor_spawner_is_root(self):
        for pid in (self.daemon.pid, self.daemon.spawner_pid()):
            self.assertEqual(set(boxes.status(pid)["Uid"].split()), {str(self.daemon.uid)})

    def test_the_limit_of_memory_kills_the_box_and_not_the_service(self):
        eats = self.daemon.deploy("eats_memory", self.author, "--memory", 64)
        reply = self.daemon.call(eats, "", self.author)
        self.assertEqual(reply.error["error_type"], "OutOfMemoryError", reply)
        self.assertEqual(self.daemon.call(self.echo, "x", self.author).json["result"], "x")

    def test_zz_a_stop_leaves_nothing(self):
        group = self.daemon.group
        self.daemon.stop()
        wait_until(lambda: not boxes.processes(group), 30, "no process of a box is left")
        self.assertFalse(os.path.exists(f"/sys/fs/cgroup/{group}"))


if __name__ == "__main__":
    unittest.main()
