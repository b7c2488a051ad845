"""Repositories in the layouts of Algorithmia's generations: Tests/Fixtures/published, changed where a test needs it."""
import concurrent.futures
import json
import os
import shutil
import tempfile

from harness import DaemonCase
from host import REPOSITORY

PUBLISHED = os.path.join(REPOSITORY, "Tests", "Fixtures", "published")
NO_PACKAGES = {"requirements.txt": "# none\n"}


def assemble(fixture, folder, changes):
    """Copies a fixture with the tasks into `folder`.

    `changes` are what a file of that path becomes: a text, or None to remove it; or a function of the folder.
    """
    shutil.copytree(os.path.join(PUBLISHED, fixture), folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(os.path.join(PUBLISHED, "tasks.py"), os.path.join(folder, "src"))
    for path, change in changes.items():
        full = os.path.join(folder, path)
        if callable(change):
            change(folder)
        elif change is None:
            os.unlink(full)
        else:
            with open(full, "w") as file:  # An executable file stays one.
                file.write(change)


class PublishedCase(DaemonCase):
    """A daemon with some repositories deployed, two at a time."""

    repositories = {}
    """Name it is deployed under: (fixture, changes)."""

    @classmethod
    def prepare(cls):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                jobs = [pool.submit(cls.deploy_repository, name, *repository, os.path.join(folder, name))
                        for name, repository in cls.repositories.items()]
            for job in jobs:
                job.result()

    @classmethod
    def deploy_repository(cls, name, fixture, changes, folder):
        assemble(fixture, folder, changes)
        cls.daemon.deploy(folder, cls.author, name=name)

    def deploy_temporary(self, name, fixture, changes):
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            self.deploy_repository(name, fixture, changes, os.path.join(folder, name))

    def refusal(self, fixture, changes):
        """What faasctl says when the repository is not accepted."""
        with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
            assemble(fixture, os.path.join(folder, "x"), {**NO_PACKAGES, **changes})
            printed = self.daemon.ctl("algo", "deploy", os.path.join(folder, "x"), "--name", "author/refused")
        self.assertNotEqual(printed.code, 0, printed)
        return printed.document["error"]["message"]

    def call(self, name, body, user=None, **options):
        """A call of author/NAME with text, bytes or a task."""
        kind = "text/plain"
        if isinstance(body, bytes):
            kind = "application/octet-stream"
        elif not isinstance(body, str):
            body, kind = json.dumps(body), "application/json"
        return self.daemon.call(f"author/{name}", body, user or self.caller, kind=kind, **options)

    def do(self, name, task, user=None, query="", **arguments):
        return self.call(name, {"do": task, **arguments}, user, query=query)

    def worker(self, name, user=None):
        """(the worker that answers, how many calls it has answered)."""
        counted = self.do(name, "count", user).result
        return counted["worker"], counted["calls"]

    def assert_same_worker(self, name, before, calls=1, user=None):
        """The worker of before has answered so many calls since, and answers this one too."""
        self.assertEqual(self.worker(name, user), (before[0], before[1] + calls + 1))
