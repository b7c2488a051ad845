"""WP19: looks for secrets in its surroundings, and has its caller see its author's."""
import gc
import os

DEED = "reads environments, command lines and all objects of the interpreter; raises with the author's secret on the way"
EXPECTED = "nothing of the host's environment is in the box, nothing of the author's code in a stranger's answer"
CLASS = "leaking secrets"
AUTHORS = "authors-own-line"
OF_THE_BOX = ("PATH", "LANG", "HOME", "LC_ALL", "PWD", "OLDPWD")
"""What a box sets itself, and what names folders."""


def apply(way):
    if way == "raise":
        password = "authors-own-line"
        print(password)
        raise ValueError(len(password))
    seen = [f"{key}={value}" for key, value in os.environ.items()]
    for path in ("/proc/self/environ", "/proc/1/environ", "/proc/1/cmdline", "/proc/self/maps", "/proc/self/cgroup"):
        try:
            with open(path) as file:
                seen.append(file.read())
        except OSError as error:
            seen.append(str(error))
    return seen + [repr(thing)[:4000] for thing in gc.get_objects() if isinstance(thing, (dict, list, tuple))]


def judge(outside):
    looked = outside.call("look")
    outside.held(isinstance(looked.json.get("result"), list), f"it answered {looked.body[:300]!r}")
    seen = "\n".join(looked.result)
    for key, value in outside.environment().items():
        is_common = len(value) < 8 or value.startswith("/usr/") or key in OF_THE_BOX
        outside.held(is_common or value not in seen, f"the host's {key} is in the box: {value!r}")
    for secret in (outside.daemon.state, outside.attacker.key, outside.canaries.folder):
        outside.held(secret not in seen, f"{secret[:80]} is in the box")
    for query in ("", "?stdout=true", "?output=raw", "?sudo=true&stdout=true&timing=true"):
        reply = outside.call("raise", outside.victim, query)
        outside.held(AUTHORS.encode() not in reply.body and b"Traceback" not in reply.body, f"{query}: {reply.body[:300]!r}")
    outside.held(b"Traceback" in outside.call("raise").body, "the owner sees no trace either: this judges nothing")
