"""AR9: has code run while it is built."""
from archives import APPLY, archive

DEED = "uploads modules that end their process when imported, under every name that a build or an interpreter loads by itself"
EXPECTED = "nothing of it runs at upload: the version is made; only the call that imports the entry ends, in its own box"
CLASS = "code in builds"
END = b"import os\nos._exit(7)\n"
COOKIE = b"# -*- coding: faasdattack -*-\n"
NAMES = ("setup.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "__init__.py", "__main__.py", "ast.py", "zlib.py",
         "frames.py", "archive.py", "checks.py", "pyc.py", "emit.py", "encodings/__init__.py", "encodings/faasdattack.py", "json/__init__.py",
         "ar9.py", "_distutils_hack/__init__.py", "pip/__init__.py", "pip/__main__.py")
OTHERS = {"evil.pth": b"import os; os._exit(7)\n", "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "setup"\n',
          "setup.cfg": b"[options]\nsetup_requires = evil\n", "pip.conf": b"[global]\nindex-url = http://127.0.0.1:%d/\n",
          "build.sh": b"#!/bin/sh\nkill -9 1\n", "Makefile": b"all:\n\tkill -9 1\n", ".git/hooks/post-checkout": b"#!/bin/sh\nkill -9 1\n",
          "python311._pth": b"import site\n",
          "pyvenv.cfg": b"home = /tmp\n", "requirements.txt": b"# nothing\n"}


def judge(outside):
    daemon = outside.daemon
    others = {name: body.replace(b"%d", b"%d" % outside.canaries.tcp) for name, body in OTHERS.items()}
    body = END + APPLY
    reply = daemon.post_archive("attacker/ar9", archive({**{name: body for name in NAMES}, **others}))
    outside.held(reply.status == 201, f"the deploy was answered {reply!r:.300}")
    outside.untouched()
    called = outside.call("x", algorithm="attacker/ar9")
    outside.held("result" not in called.json, "the code does nothing when it runs: this attack does not attack")
    cookie = {"main.py": COOKIE + APPLY, "faasdattack.py": END, "encodings/faasdattack.py": END}
    reply = daemon.post_archive("attacker/ar9cookie", archive(cookie))
    outside.held(reply.status == 422 and b"coding" in reply.body, f"a source in its own encoding was answered {reply!r:.300}")
    reply = daemon.post_archive("attacker/ar9", archive({"main.py": APPLY}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
    outside.answered(outside.call("x", algorithm="attacker/ar9"), "x")
