"""A host without limits on boxes: several tenants are refused, one is served when that was asked for, loudly."""
import os
import subprocess
import unittest

from harness import EXAMPLES, Daemon, ask


class Blind(Daemon):
    """A daemon that sees none of these controllers."""

    controllers = ("memory", "pids", "cpu")
    flags = ()

    def command(self):
        with open("/proc/self/mounts") as file:
            lines = [line.split() for line in file]
        mounts = [line[1] for line in lines if line[2] == "cgroup" and set(line[3].split(",")) & set(self.controllers)]
        hidden = " ".join(f"umount {mount};" for mount in mounts)
        line = super().command() + list(self.flags)
        return ["unshare", "--mount", "sh", "-c", hidden + ' exec "$@"', "sh", *line]


class SingleTenant(unittest.TestCase):
    def start(self, flags=(), controllers=Blind.controllers):
        daemon = Blind()
        daemon.flags, daemon.controllers = flags, controllers
        self.addCleanup(daemon.close)
        return daemon

    def refusal(self, daemon):
        done = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_a_host_without_limits_is_refused_with_the_remedy(self):
        for controllers in (("memory",), ("pids",), Blind.controllers):
            said = self.refusal(self.start(controllers=controllers))
            for word in (*controllers, "faasd doctor", "--insecure-single-tenant"):
                self.assertIn(word, said)

    def test_one_tenant_is_served_loudly_and_no_second_one(self):
        daemon = self.start(["--insecure-single-tenant"]).start()
        self.assertIn("INSECURE", daemon.log_text())
        user = daemon.user("only", "100")
        name = daemon.deploy(os.path.join(EXAMPLES, "hello"), user, name="hello")
        self.assertEqual(daemon.call(name, "x", user).status, 200)
        refused = daemon.run_ctl("--socket", daemon.socket_path, "user", "create", "second")
        self.assertNotEqual(refused.code, 0)
        self.assertIn("single tenant", refused.err)
        self.assertEqual(ask(daemon.port, "GET", "/healthz").status, 200)

    def test_a_second_user_from_better_days_is_refused_at_the_start(self):
        daemon = self.start(["--insecure-single-tenant"])
        daemon.controllers = ()
        daemon.start()
        daemon.user("one", "1"), daemon.user("two", "1")
        daemon.stop()
        daemon.controllers = Blind.controllers
        self.assertIn("2 users", self.refusal(daemon))


if __name__ == "__main__":
    unittest.main()
