"""The examples in the README of the official ADK, unchanged; its source comes from the package index."""
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

from repositories import PublishedCase

VERSION = "1.2.4"
DIGEST = "bea41580d03b77770bbc9ee7a06aca4c8fe80bd78f9480c4439329191f1451ff"
EXAMPLE = re.compile(r"<!-- embedme examples/(\w+)/src/Algorithm\.py -->\s*```python\n(.*?)```", re.DOTALL)


def read_examples():
    """The sources in the README by the name of their folder, the first of each."""
    with tempfile.TemporaryDirectory(prefix="faasd-test-") as folder:
        wanted = os.path.join(folder, "wanted.txt")
        with open(wanted, "w") as file:
            file.write(f"algorithmia-adk=={VERSION} --hash=sha256:{DIGEST}\n")
        # Its setup.py asks the environment for its version, and says 0.0.0 otherwise, which pip does not take.
        pip = subprocess.run([sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--quiet",
                              "--no-input", "--dest", folder, "-r", wanted], capture_output=True, text=True,
                             env={**os.environ, "ADK_VERSION": VERSION})
        assert pip.returncode == 0, f"pip could not fetch the source of algorithmia-adk:\n{pip.stderr}"
        base = f"algorithmia-adk-{VERSION}"
        with tarfile.open(os.path.join(folder, base + ".tar.gz")) as archive:
            readme = archive.extractfile(f"{base}/README.md").read().decode()
    examples = {}
    for name, source in EXAMPLE.findall(readme):
        examples.setdefault(name, source)
    return examples


class ReadmeOfTheADK(PublishedCase):
    @classmethod
    def prepare(cls):
        examples = read_examples()
        cls.repositories = {
            name: ("adk", {"src/Algorithm.py": examples[name], "src/adk.py": None, "src/tasks.py": None,
                           "algorithmia.conf": json.dumps({"username": "author", "algoname": name})})
            for name in ("hello_world", "loaded_state_hello_world")
        }
        super().prepare()

    def test_hello_world_greets(self):
        for start in ("cold", "warm"):
            reply = self.call("hello_world", "Jane")
            self.assert_result(reply, "hello Jane")
            self.assertEqual((reply.start, reply.metadata["content_type"]), (start, "text"))
        self.assert_result(self.call("hello_world", {"a": 1}), "hello {'a': 1}")
        self.assert_result(self.call("hello_world", b"\0"), "hello b'\\x00'")

    def test_the_loaded_state_fails_as_it_does_with_this_adk_and_the_worker_goes_on(self):
        for start in ("cold", "warm", "warm"):
            reply = self.call("loaded_state_hello_world", "Jane", self.author)
            self.assert_error(reply, "AlgorithmError", "'ModelData' object has no attribute 'user_data'")
            self.assertIn("AttributeError: 'ModelData' object has no attribute 'user_data'", reply.error["stacktrace"])
            self.assertIn("src/Algorithm.py", reply.error["stacktrace"])
            self.assertEqual((reply.start, reply.charge), (start, 0))
