"""HT105: asks for what belongs to others."""
import os
import socket

from archives import APPLY, archive

DEED = "reads, changes and deletes what is the victim's, with its own keys, and over the Unix socket as nobody"
EXPECTED = "403, 404 or no connection; the victim's things are as they were"
CLASS = "one tenant's data to another"


def judge(outside):
    daemon, owner = outside.daemon, outside.victim.name
    name = daemon.deploy("echo", outside.victim, name="others", public=False)
    call_id = outside.call("x", outside.victim, algorithm=name).call_id
    before = daemon.balance(owner), daemon.manage("GET", f"/v1/manage/keys?user={owner}").json
    for kind in ("algorithm", "management"):
        key = daemon.key(outside.attacker.name, kind)["key"]
        for method, path in (
                ("GET", f"accounts/{owner}/balance"), ("GET", f"accounts/{owner.upper()}/balance"), ("GET", f"usage?account={owner}"),
                ("GET", f"usage?account=attacker&account={owner}"), ("GET", f"usage/{call_id}"), ("GET", f"keys?user={owner}"),
                ("DELETE", f"keys/{outside.victim.key_id}"), ("POST", f"accounts/{owner}/top-ups"), ("GET", f"algorithms/{name}"),
                ("GET", f"algorithms/{name}/versions/0.1.0/lock"), ("DELETE", f"algorithms/{name}"),
                ("DELETE", f"algorithms/{name.upper()}")):
            reply = daemon.manage(method, f"/v1/manage/{path}", b"{}" if method == "POST" else None, key)
            outside.held(reply.status in (400, 403, 404) or call_id.encode() not in reply.body and "account=attacker" in path,
                         f"{kind} key, {method} {path}: {reply.status} {reply.body[:200]!r}")
        for full in (name, f"{owner}/new", name.upper()):
            reply = daemon.post_archive(full, archive({"main.py": APPLY}), "?public=true&royalty=1000000", key)
            outside.held(reply.status == 403, f"{kind} key, a version of {full}: {reply.status} {reply.body[:200]!r}")
        listed = daemon.manage("GET", f"/v1/manage/algorithms?owner={owner}", key=key)
        outside.held(name.encode() not in listed.body, "a private algorithm is listed")
    head = f"GET /v1/manage/users HTTP/1.1\r\nHost: x\r\nX-Faasd-Account: {owner}\r\nConnection: close\r\n\r\n"
    said = as_nobody(daemon.socket_path, head)
    outside.held(said.startswith((b"EACCES", b"HTTP/1.1 401")), f"over the socket, as nobody: {said[:200]!r}")
    after = daemon.balance(owner), daemon.manage("GET", f"/v1/manage/keys?user={owner}").json
    outside.held(after == before, f"the victim had {before}, and has {after}")
    outside.answered(outside.call("x", outside.victim, algorithm=name), "x")


def as_nobody(path, request):
    """What the Unix socket says to a user without any rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([]), os.setgid(65534), os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as raw:
                raw.settimeout(2)
                raw.connect(path)
                raw.sendall(request.encode())
                os.write(writing, raw.recv(65536))
        except PermissionError:
            os.write(writing, b"EACCES")
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        return pipe.read()
