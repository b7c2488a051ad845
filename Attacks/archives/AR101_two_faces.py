"""AR101: shows the checks one program and runs another."""
import importlib.util
import marshal
import sys

from archives import APPLY, archive, member, pack

DEED = "uploads bytecode beside harmless source, the same name twice, names that differ in case or form, and files named as folders"
EXPECTED = "the source that was uploaded is what runs; a name that is given twice is refused"
CLASS = "parser confusion"
OTHER = b"def apply(value):\n    return 'the other one'\n"


def bytecode():
    code = marshal.dumps(compile(OTHER, "main.py", "exec"))
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + code


def taken():
    tag = sys.implementation.cache_tag
    for place in (f"__pycache__/main.{tag}.pyc", "main.pyc", f"__pycache__/main.{tag}.opt-1.pyc"):
        yield place, archive({"main.py": APPLY, place: bytecode()})
    yield "a name that is left out", pack([member("._main.py", OTHER), member("main.py", APPLY)])
    yield "other case", archive({"main.py": APPLY, "MAIN.PY": OTHER, "Main.py": OTHER})
    yield "other form", archive({"main.py": APPLY, "ma\u0131n.py": OTHER, "main.py ": OTHER, "main.py.": OTHER,
                                 "\uff4dain.py": OTHER})
    yield "a marker in the name", archive({"main.py": APPLY, "main\u200b.py": OTHER})


def refused():
    good = member("main.py", APPLY)
    for name in ("main.py", "./main.py", "././main.py", "main.py/x.py"):
        yield name, pack([good, member(name, OTHER)])
        yield f"{name} first", pack([member(name, OTHER), good])
    info, body = member("x.py", OTHER)
    info.pax_headers = {"path": "main.py"}
    yield "extended header", pack([good, (info, body)])


def judge(outside):
    daemon = outside.daemon
    for number, (what, payload) in enumerate(taken()):
        name = f"attacker/ar101{chr(97 + number)}"
        reply = daemon.post_archive(name, payload)
        outside.held(reply.status in (201, 422), f"{what} was answered {reply!r:.300}")
        if reply.status == 201:
            outside.answered(outside.call("x", algorithm=name), "x")
    for what, payload in refused():
        reply = daemon.post_archive("attacker/ar101", payload)
        outside.held(reply.status == 422, f"{what} was answered {reply!r:.300}")
    reply = daemon.post_archive("attacker/ar101", archive({"main.py": APPLY}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
