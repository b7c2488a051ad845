"""HT102: asks to be somebody else."""

DEED = "calls with sudo=true in all its forms, with keys that are no admin's, for what is private or the owner's"
EXPECTED = "the word means nothing for these keys: no private algorithm, no output or trace of another's, its own money"
CLASS = "rights of administrators"
SOURCE = """
def apply(text):
    print('for the owner')
    if text == 'raise':
        raise ValueError('private line')
    return 'reached'
"""
FORMS = ("?sudo=true", "?sudo=True", "?sudo=1", "?sudo=false&sudo=true", "?sudo=true&sudo=false", "?sudo=tru%65", "?%73udo=true",
         "?output=raw&sudo=true", "?output=void&sudo=true", "?sudo=true&owner=victim&account=victim")


def judge(outside):
    daemon, owner = outside.daemon, outside.victim
    attacker, outside.attacker = outside.attacker, owner
    hidden = outside.deploy("sudo_hidden", {"main.py": SOURCE})
    daemon.deploy("echo", owner, name="sudo_private", public=False)
    outside.attacker = attacker
    manager = daemon.key(attacker.name, "management")["key"]
    victims = daemon.balance(owner.name)
    for form in FORMS:
        private = outside.call("x", query=form, algorithm="victim/sudo_private")
        outside.held(b"EntityNotFoundError" in private.body and b"reached" not in private.body, f"{form}: {private.body[:200]!r}")
        reply = outside.request("POST", f"/v1/algo/{hidden}{form}", b"x", {"Authorization": manager, "Content-Type": "text/plain"})
        outside.held(b"AuthorizationError" in reply.body, f"{form} with a management key: {reply.body[:200]!r}")
        if "void" in form:
            continue
        for text in ("x", "raise"):
            reply = outside.call(text, query=form + "&stdout=true", algorithm=hidden)
            for private in (b"for the owner", b"Traceback", b"main.py"):
                outside.held(private not in reply.body, f"{form}: {reply.body[:300]!r}")
            outside.held(outside.usage(reply)["account"] == attacker.name, f"{form}: {outside.usage(reply)}")
    outside.held(daemon.balance(owner.name) == victims, "the victim paid")
    outside.held(b"for the owner" in outside.call("x", owner, "?stdout=true", hidden).body, "the owner sees nothing: this judges nothing")
