"""What a version was built with, kept with it; deploys that say their own name, and the part they count up."""
import os
import tempfile

from harness import DaemonCase
from repositories import PublishedCase, assemble
from wire import ask


class Locks(PublishedCase):
    repositories = {"first": ("adk", {})}

    def lock(self, name):
        return self.daemon.must("algo", "lock", f"author/{name}")

    def test_a_lock_names_every_distribution_by_its_hash(self):
        lock = self.lock("first")
        self.assertRegex(lock["interpreter"], r"^cpython-3[0-9]+ 3\.[0-9.]+ linux-[a-z0-9_]+ glibc-2\.[0-9]+$")
        lines = lock["requirements"].splitlines()
        self.assertEqual([line for line in lines if line.startswith("algorithmia==1.")], [lines[2]])
        for line in lines:
            self.assertRegex(line, r"^[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+ --hash=sha256:[0-9a-f]{64}$")

    def test_a_deploy_with_a_lock_as_its_requirements_has_the_same_environment(self):
        text = self.daemon.run_ctl("algo", "lock", "author/first", "--socket", self.daemon.socket_path).out
        self.assertIn(self.lock("first")["environment"], text.splitlines()[0])
        self.deploy_temporary("second", "adk", {"requirements.txt": text})
        self.assertEqual(self.lock("second") | {"name": ""}, self.lock("first") | {"name": ""})
        self.assert_result(self.call("second", "Jane"), "Hello Jane")

    def test_a_version_without_packages_has_an_interpreter_only(self):
        lock = self.daemon.must("algo", "lock", self.echo)
        self.assertEqual((lock["requirements"], len(lock["environment"])), ("", 64))

    def test_a_lock_is_for_the_owner(self):
        stranger, owner = self.daemon.key("caller", "management"), self.daemon.key("author", "management")
        for key, status in ((stranger, 403), (owner, 200)):
            path = "/v1/manage/algorithms/author/first/versions/latest/lock"
            reply = ask(self.daemon.port, "GET", path, headers={"Authorization": key["key"]})
            self.assertEqual(reply.status, status, reply)


class Names(DaemonCase):
    def deploy(self, *options, changes=None):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            place = os.path.join(folder, "x")
            simple = {"requirements.txt": "", "src/environment.py": "def apply(name): return 'Hello ' + name\n"}
            assemble("environment", place, simple | (changes or {}))
            return self.daemon.ctl("algo", "deploy", place, "--public", *options)

    def test_a_repository_says_its_own_name_unless_the_command_does(self):
        self.assertEqual(self.deploy().document["name"], "author/environment")
        self.assertEqual(self.deploy("--name", "author/other").document["name"], "author/other")
        printed = self.deploy(changes={"algorithmia.conf": '{"algoname": "environment"}'})
        self.assertEqual(printed.code, 64, printed)
        self.assertIn("--name", printed.err)

    def test_a_deploy_counts_the_part_it_names(self):
        for bump, number in (("revision", "0.0.1"), ("minor", "0.1.0"), ("revision", "0.1.1"), ("major", "1.0.0")):
            printed = self.deploy("--name", "author/counted", "--bump", bump)
            self.assertEqual(printed.document["version"], number)
        for selector in ("0.1.x", "0", "1.0.0", "1"):
            self.assert_result(self.daemon.call(f"author/counted/{selector}", "Jane", self.caller), "Hello Jane")

    def test_a_revision_costs_what_the_version_it_repairs_costs(self):
        self.deploy("--name", "author/dear", "--royalty", 500)
        printed = self.deploy("--name", "author/dear", "--royalty", 501, "--bump", "revision")
        self.assertEqual(printed.code, 1, printed)
        self.assertIn("500, as 0.1.0 has", printed.err)
