"""An ordinary user of the host, made for a test: a range of subordinate ids, control groups, and a daemon that it starts."""
import os
import pwd
import secrets
import subprocess

import boxes
from harness import Daemon
from host import BINARIES, REPOSITORY

CONTROLLERS = {"memory", "pids", "cpu", "cpuacct", "freezer", "unified"}
DELEGATED = ("", "cgroup.procs", "tasks", "cgroup.subtree_control", "cgroup.threads")
IDS = 65536


class User:
    """Somebody who may do nothing but what was given to it; `remove()` takes everything back."""

    def __init__(self, ids=IDS):
        self.name = "faasd-t" + secrets.token_hex(3)
        self.group = self.name
        subprocess.run(["useradd", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", self.name], check=True)
        entry = pwd.getpwnam(self.name)
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        # Far from what useradd gives by itself, and other numbers for groups.
        self.first_uid, self.first_gid = (3_000_000_000 + offset + 65536 * secrets.randbelow(4096) for offset in (0, 1 << 28))
        self.set_range(ids)

    def set_range(self, ids):
        """Replaces the ranges of both kinds."""
        for path, first in (("/etc/subuid", self.first_uid), ("/etc/subgid", self.first_gid)):
            text = boxes.read(path) if os.path.exists(path) else ""
            lines = [line for line in text.splitlines() if not line.startswith(self.name + ":")]
            lines += [f"{self.name}:{first}:{ids}"] if ids else []
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in lines))

    def groups(self, controllers=CONTROLLERS):
        """Makes its control groups, as root of the host would, and returns them."""
        made = []
        for point, has in boxes.mounts():
            if not has & set(controllers):
                continue
            path = os.path.join(point, self.group)
            if not os.path.isdir(path):
                self._give_controllers(point)
                os.mkdir(path)
            for name in DELEGATED:
                if os.path.exists(os.path.join(path, name)):
                    os.chown(os.path.join(path, name), self.uid, self.gid)
            made.append(path)
        return made

    @staticmethod
    def _give_controllers(point):
        path = os.path.join(point, "cgroup.subtree_control")
        if os.path.exists(path) and "memory" in boxes.read(os.path.join(point, "cgroup.controllers")).split():
            with open(path, "w", encoding="utf-8") as file:
                file.write("+memory +pids +cpu")

    def line(self, command, groups=()):
        """A command line by which root has it run by this user, in its groups."""
        enter = " ".join(f'echo $$ > "{group}/cgroup.procs";' for group in groups)
        become = f"exec setpriv --reuid {self.uid} --regid {self.gid} --clear-groups"
        clean = "env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/nonexistent"
        return ["sh", "-c", f'{enter} {become} {clean} "$@"', "sh", *command]

    def remove(self):
        for point, _ in boxes.mounts():
            for folder in ("/" + self.group + "/supervisor", "/" + self.group):
                if os.path.isdir(point + folder):
                    os.rmdir(point + folder)
        self.set_range(0)
        subprocess.run(["userdel", self.name], check=True, stderr=subprocess.DEVNULL)


class OrdinaryDaemon(Daemon):
    """A daemon started by such a user."""

    controllers = CONTROLLERS
    ids = IDS

    def __init__(self, config=None):
        super().__init__(config)
        self.user_of_host = User(self.ids)
        self.group = self.user_of_host.group + "/" + self.group
        os.chown(self.state, self.user_of_host.uid, self.user_of_host.gid)
        os.chmod(self.state, 0o700)
        if self._config:
            os.chmod(self._config, 0o644)

    def command(self):
        line = [os.path.join(BINARIES, "faasd"), "serve", "--state-dir", self.state]
        line += ["--listen", f"127.0.0.1:{self.port}", "--runtimes", REPOSITORY + "/Runtimes"]
        line += ["--config", self._config] if self._config else []
        return self.user_of_host.line(line, self.user_of_host.groups(self.controllers))

    def close(self):
        try:
            super().close()
        finally:
            self.user_of_host.remove()
