"""The faasd.service of this machine, driven as the end to end tests drive a daemon of their own."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "EndToEnd")]

import boxes
import harness
from host import wait_until

NAME = "faasd.service"
STATE = "/var/lib/faasd"
DROP_INS = f"/run/systemd/system/{NAME}.d"
# Everything takes its time where the processor is emulated.
PATIENCE_SECONDS = 120


def systemctl(*arguments, is_checked=True):
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0 or not is_checked, f"systemctl {arguments}: {done.stderr}"
    return done.stdout.strip()


class Unit(harness.Daemon):
    """The service; its control group is the unit's, and its log the journal."""

    def __init__(self):
        harness.check_host()
        self.state, self.port, self.socket_path = STATE, 8080, STATE + "/faasd.sock"
        self.path = f"/sys/fs/cgroup/system.slice/{NAME}"
        self.group = f"system.slice/{NAME}/{boxes.group_name(STATE)}"

    def show(self, name):
        return systemctl("show", NAME, "--property", name, "--value")

    @property
    def pid(self):
        return int(self.show("MainPID"))

    def log_text(self):
        return subprocess.run(["journalctl", "-u", NAME, "-o", "cat", "-n", "40"], capture_output=True, text=True).stdout

    def start(self, verb="start"):
        systemctl(verb, NAME)
        self.wait_until_it_serves()
        return self

    def wait_until_it_serves(self):
        wait_until(self.answers, PATIENCE_SECONDS, f"{NAME} serves")

    def answers(self):
        """Whether it serves on both of its addresses."""
        try:
            return harness.ask(self.port, "GET", "/healthz").status == 200 and os.path.exists(self.socket_path)
        except OSError:
            return False

    def stop(self):
        systemctl("stop", NAME)

    def configure(self, *lines):
        """Changes the unit until the machine is turned off; without lines, as it was."""
        os.makedirs(DROP_INS, exist_ok=True)
        with open(f"{DROP_INS}/test.conf", "w") as file:
            file.write("\n".join(("[Service]", *lines)) + "\n")
        systemctl("daemon-reload")
