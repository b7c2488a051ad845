"""HT6: names that look like others, or are more than names."""
from urllib.parse import quote

from archives import APPLY, archive

DEED = "creates users and algorithms with names of another case, another script, invisible characters, dots, dashes and paths"
EXPECTED = "names are ASCII of a fixed grammar and unique without regard to case; nothing else is made"
CLASS = "impersonation by names"
NAMES = ("Victim", "VICTIM", "victim ", " victim", "vіctim", "vict\u200bim", "\u202emitciv", "víctim", "vi\u0301ctim", "ＶＩＣＴＩＭ",
         "victim\0", "victim\n", "-rf", "--help", "..", ".", ".hidden", "a/b", "a\\b", "a%2fb", "a" * 300, "", "😀", "ﬁ", "ß", "a:b",
         "a+b", "0a", "_a", "a;b", "a'b", 'a"b', "a b", "account:victim", None, 7, ["victim"], {"name": "victim"})


def judge(outside):
    daemon = outside.daemon
    before = daemon.manage("GET", "/v1/manage/users").json["results"]
    victims = daemon.balance(outside.victim.name)
    manager = daemon.key(outside.attacker.name, "management")["key"]
    for name in NAMES:
        reply = daemon.manage("POST", "/v1/manage/users", {"name": name})
        outside.held(reply.status in (400, 409), f"a user named {name!r}: {reply.status} {reply.body[:200]!r}")
        reply = daemon.manage("POST", "/v1/manage/keys", {"user": name, "kind": "algorithm"})
        allowed = (201,) if isinstance(name, str) and name.lower() == "victim" else (400, 404)
        outside.held(reply.status in allowed, f"a key of {name!r}: {reply.status} {reply.body[:200]!r}")
        if isinstance(name, str) and name.isascii() and name.isprintable() and " " not in name and "/" not in name:
            reply = daemon.post_archive(f"{name}/mine", archive({"main.py": APPLY}), key=manager)
            outside.held(reply.status in (400, 403, 404), f"a version of {name!r}: {reply.status} {reply.body[:200]!r}")
    for name in ("..", "%2e%2e", "a%2fb", "a.py", "-x", "a" * 65, "%00", "a%20b", "é", "%d0%b0"):
        reply = daemon.post_archive(f"attacker/{quote(name, safe='%')}", archive({"main.py": APPLY}), key=manager)
        outside.held(reply.status in (400, 404), f"an algorithm named {name!r}: {reply.status} {reply.body[:200]!r}")
    outside.held(daemon.manage("GET", "/v1/manage/users").json["results"] == before, "users were made")
    outside.held(daemon.balance(outside.victim.name) == victims, "the victim's account changed")
