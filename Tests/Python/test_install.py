"""The install program over pipes, with wheels made here and no index; the requirements grammar by itself."""
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import NONCE, Box, Version, frames

import requirements

HAS_PIP = subprocess.run(["/usr/bin/python3", "-I", "-c", "import pip"], capture_output=True).returncode == 0
DIGEST = "a" * 64
LOCK = "lock/requirements.txt"


class Grammar(unittest.TestCase):
    def test_what_passes_and_how_it_is_written_anew(self):
        for line, canonical in (
            ("numpy", "numpy"), ("  numpy == 2.4.6  # why", "numpy==2.4.6"), ("a-b.c_d>=1,<2 , !=1.5", "a-b.c_d>=1,<2,!=1.5"),
            ("requests[socks, security]~=2.8.1", "requests[socks,security]~=2.8.1"), ("x==1.*", "x==1.*"),
            ("x===1.0+local.1", "x===1.0+local.1"), ("x==1!2.0", "x==1!2.0"), ("A", "A"),
            ("x; python_version < '3.12'", "x ; python_version < '3.12'"),
            ("x>1;(os_name=='posix' and ('a' in extra)) or sys_platform not in \"b c\"",
             "x>1 ; (os_name=='posix' and ('a' in extra)) or sys_platform not in \"b c\""),
            (f"x==1 --hash=sha256:{DIGEST}", f"x==1 --hash=sha256:{DIGEST}"),
            (f"x==1 ; os_name == 'posix' \\\n  --hash=sha256:{DIGEST} \\\n --hash=sha256:{DIGEST}",
             f"x==1 ; os_name == 'posix' --hash=sha256:{DIGEST} --hash=sha256:{DIGEST}"),
        ):
            self.assertEqual(requirements.parse_requirements(line.encode()), [canonical])
        self.assertEqual(requirements.parse_requirements(b"\xef\xbb\xbf# only\r\n\r\n  \r\na\r\n"), ["a"])
        self.assertEqual(requirements.parse_requirements(b""), [])

    def test_what_is_refused_with_its_line_and_reason(self):
        for line, reason in (
            ("https://h/x.whl", "URLs"), ("git+ssh://h/x", "URLs"), ("x @ file.whl", "direct references"), ("x@y", "direct"),
            ("./x", "paths"), ("/x", "paths"), ("x/y", "paths"), (".", "paths"), ("..\\x", "paths"), ("C:\\x", "paths"),
            ("-r other.txt", "options are not allowed (-r)"), ("--index-url=https://h", "options"), ("-e .", "options"),
            ("--hash=sha256:" + DIGEST, "options"), ("x --no-binary :all:", "options"), ("x==1 -r y", "options"),
            ("x==1 --hash=md5:abc", "not of the form"), (f"x==1 --hash=sha256:{DIGEST}0", "not of the form"),
            ("x --hash=sha256:zz", "not of the form"), ("x==${HOME}", "variables"), ("x.whl", "files"), ("x==1.zip", "files"),
            ("x.tar.gz", "files"), ("x y", "not of the form"), ("x==", "not of the form"), ("x=1", "not of the form"),
            ("x[", "not of the form"), ("x[]", "not of the form"), ("é", "not of the form"), ("x==1,", "not of the form"),
            ("-", "options"), ("x;", "marker"), ("x; os_name", "marker"), ("x; os_name == posix", "marker"),
            ("x; (os_name == 'a'", "marker"), ("x; os_name == 'a')", "marker"), ("x; os_name == 'a' and", "marker"),
            ("x; evil == 'a'", "marker"), ("x; os_name == 'a' os_name == 'b'", "marker"), ("x; 'a' == 'b'", "marker"),
            ("x; os_name == 'a'; y", "marker"), ("x\0", "not of the form"), ("x\rhttps://h", "URLs"), ("x\r-r y", "form"),
            ("x\x0b-r y", "form"), ("x\u2028y", "form"), ("\\", ""), ("x \\", "ends within"), ("_x", "not of the form"),
        ):
            with self.subTest(line):
                if line == "\\":
                    self.assertEqual(requirements.parse_requirements(line.encode()), [])
                    continue
                with self.assertRaises(requirements.RequirementsError) as caught:
                    requirements.parse_requirements(("# one\n\n" + line).encode())
                self.assertIn("line 3", str(caught.exception))
                self.assertIn(reason, str(caught.exception))

    def test_limits(self):
        for count, ok in ((999, True), (1_000, True), (1_001, False)):
            self.check(b"x\n" * count, ok, "more than 1000")
        for size, ok in ((65_535, True), (65_536, True), (65_537, False)):
            self.check(b"x" * size, ok, "more than 65536 bytes")

    def check(self, payload, ok, part):
        if ok:
            return requirements.parse_requirements(payload)
        with self.assertRaisesRegex(requirements.RequirementsError, part):
            requirements.parse_requirements(payload)


def make_wheel(folder, name, files, version="1.0", more=""):
    """A wheel with these files; returns its SHA-256."""
    path = os.path.join(folder, f"{name}-{version}-py3-none-any.whl")
    base = f"{name}-{version}.dist-info"
    files = dict(files) | {
        f"{base}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}",
        f"{base}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = "".join(f"{file},,\n" for file in files) + f"{base}/RECORD,,\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, content in (files | {f"{base}/RECORD": record}).items():
            wheel.writestr(file, content)
    with open(path, "rb") as wheel:
        return hashlib.sha256(wheel.read()).hexdigest()


@unittest.skipUnless(HAS_PIP, "needs python3-pip")
class Installing(unittest.TestCase):
    def install(self, text, wheels, **environment):
        work = self.enterContext(tempfile.TemporaryDirectory())
        given = {"PATH": "/usr/bin:/bin", "HOME": work, "LANG": "C.UTF-8", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels,
                 "PIP_CONFIG_FILE": "/dev/null"} | environment
        with Box("install.py", "--work", work, flags=("-I", "-B", "-u"), environment=given) as box:
            box.send(frames.REQUIREMENTS, text.encode())
            files, last = box.files()
            self.assertIsNotNone(last, box.text())
            self.assertEqual((last.nonce, box.status()), (NONCE, 0))
            return files, last

    def setUp(self):
        self.wheels = self.enterContext(tempfile.TemporaryDirectory())
        self.digest = make_wheel(self.wheels, "small", {
            "small/__init__.py": "value = 42\n", "small/data.bin": b"\0" * (3 << 20), "small/py2.py": "print 'x'\n",
            "small-1.0.data/scripts/tool": "#!python\n", "small-1.0.dist-info/entry_points.txt":
            "[console_scripts]\nsmall = small:main\n"})

    def test_a_wheel_comes_out_below_deps_and_can_be_imported(self):
        files, last = self.install(f"small==1.0 --hash=sha256:{self.digest}\n", self.wheels)
        self.assertEqual(last.kind, frames.DONE, last.error if last.kind == frames.ERROR else last)
        self.assertIn("deps/small-1.0.dist-info/METADATA", files)
        self.assertIn(f"deps/small/__pycache__/__init__.{sys.implementation.cache_tag}.pyc", files)
        self.assertNotIn(f"deps/small/__pycache__/py2.{sys.implementation.cache_tag}.pyc", files)
        self.assertEqual([path for path in files if "/bin/" in path or not path.startswith("deps/")], [LOCK])
        source = "import small, importlib.metadata as m\ndef apply(_): return [small.value, m.version('small')]"
        given = {path: content for path, (content, _) in files.items()} | {"algo.py": source}
        with Version(given) as version, version.start() as worker:
            first = worker.receive()
            self.assertEqual(first.kind, frames.READY, first)
            self.assertEqual(worker.call("x").payload, b'[42,"1.0"]')

    def test_the_lock_installs_the_same_again(self):
        digest = make_wheel(self.wheels, "Zig_one", {"zig.py": "import small\n"}, "1!2.0+local.1", "Requires-Dist: small\n")
        files, last = self.install("zig-one\n", self.wheels)
        self.assertEqual(last.kind, frames.DONE, last)
        content, executable = files[LOCK]
        self.assertEqual((content.decode(), executable), (
            f"small==1.0 --hash=sha256:{self.digest}\nZig_one==1!2.0+local.1 --hash=sha256:{digest}\n", False))
        self.assertEqual(requirements.parse_requirements(content), content.decode().splitlines())
        make_wheel(self.wheels, "small", {"small/__init__.py": "value = 43\n"}, "1.1")
        again, _ = self.install(content.decode(), self.wheels)
        for path in (LOCK, "deps/small/__init__.py", "deps/zig.py"):
            self.assertEqual(again[path], files[path])
        make_wheel(self.wheels, "small", {"small/__init__.py": "value = 'other'\n"})
        self.assertEqual(self.install(content.decode(), self.wheels)[1].error[0], "InstallError")

    def test_nothing_asked_for_is_nothing_sent(self):
        for text, sent in (("# nothing\n", {}), ("small; python_version < '3'\n", {LOCK: (b"", False)})):
            files, last = self.install(text, self.wheels)
            self.assertEqual((files, last.kind), (sent, frames.DONE))

    def test_a_refused_line_never_reaches_pip(self):
        files, last = self.install("small\n-r /etc/passwd\n", self.wheels)
        self.assertEqual((files, last.kind, last.error[0]), ({}, frames.ERROR, "RequirementsError"))
        self.assertIn("line 2: options are not allowed (-r)", last.error[1])

    def test_what_pip_says_is_in_the_error(self):
        for text, part in (("nothere==3", "nothere"), ("small==2", "small==2"), (f"small==1.0 --hash=sha256:{DIGEST}", "HASHES")):
            files, last = self.install(text, self.wheels)
            self.assertEqual((files, last.kind, last.error[0]), ({}, frames.ERROR, "InstallError"))
            self.assertIn("exit status 1", last.error[1])
            self.assertIn(part.lower(), last.error[1].lower())

    def test_sources_are_never_built(self):
        with zipfile.ZipFile(os.path.join(self.wheels, "evil-1.0.zip"), "w") as sdist:
            sdist.writestr("evil-1.0/setup.py", f"open({self.wheels + '/ran'!r}, 'w')")
        files, last = self.install("evil", self.wheels, PIP_NO_BINARY=":all:")
        self.assertEqual((files, last.kind), ({}, frames.ERROR))
        self.assertFalse(os.path.exists(self.wheels + "/ran"))

    def test_names_that_would_harm_are_refused(self):
        make_wheel(self.wheels, "odd", {"odd/a\nb.txt": "x"})
        files, last = self.install("odd", self.wheels)
        self.assertEqual((files.keys() & {"deps/odd/a\nb.txt"}, last.kind), (set(), frames.ERROR))
        self.assertIn("control characters", last.error[1])

    def test_python_variables_do_not_reach_pip(self):
        with open(os.path.join(self.wheels, "sitecustomize.py"), "w") as file:
            file.write(f"open({self.wheels + '/ran'!r}, 'w')")
        _, last = self.install("small", self.wheels, PYTHONPATH=self.wheels)
        self.assertEqual(last.kind, frames.DONE)
        self.assertFalse(os.path.exists(self.wheels + "/ran"))

    def test_links_are_refused(self):
        import install
        with tempfile.TemporaryDirectory() as target:
            os.symlink("/etc/passwd", os.path.join(target, "link"))
            with self.assertRaisesRegex(install.InstallError, "deps/link: .* symbolic link"):
                list(install._regular_files(target))


if __name__ == "__main__":
    unittest.main()
