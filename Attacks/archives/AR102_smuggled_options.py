"""AR102: smuggles options to pip."""
from archives import APPLY, archive

DEED = "uploads requirements that name a package index of the attacker, files of the host and commands, in every disguise"
EXPECTED = "only names, versions, markers and hashes pass: refused before pip runs, the attacker's index is never asked"
CLASS = "code in builds"
INDEX = "http://127.0.0.1:{port}/simple"
LINES = (
    "--index-url={index}", "--extra-index-url {index}", "six --index-url={index}", "six \\\n--index-url={index}",
    "six\r--index-url={index}", "six\x0b--index-url={index}", "six\x85--index-url={index}", "six\u2028--index-url={index}",
    "six\0--index-url={index}", "six \\\r\n --find-links={index}", "\ufeff--find-links {index}", "six @ {index}/six.whl",
    "{index}/six-1.0-py3-none-any.whl", "git+{index}/x.git#egg=six", "-e {index}", "-r {index}/r.txt", "--proxy={index}",
    "six[a@{index}]", "six; python_version > '3' --index-url={index}", "six ; python_version > '{index}\n--index-url={index}'",
    "six==1 --hash=sha256:00 --index-url={index}", "six --config-settings=x={index}", "/etc/passwd", "../../../etc/passwd",
    "${{HOME}}", "-r {secret}", "--target=/", "--no-binary=:all:", "\u2010\u2010index-url={index}", "{secret}",
    "--trusted-host 127.0.0.1\n--index-url={index}", "--", "six#\n--index-url={index}", "six \\ # \\\n--index-url={index}")


def judge(outside):
    index = INDEX.format(port=outside.canaries.tcp)
    for line in LINES:
        text = line.format(index=index, secret=outside.canaries.file)
        files = {"main.py": APPLY, "requirements.txt": text.encode(), "pip.conf": f"[global]\nindex-url={index}\n".encode()}
        reply = outside.daemon.post_archive("attacker/ar102", archive(files))
        outside.held(reply.status == 422, f"{line!r} was answered {reply!r:.300}")
        reached = b"requirements.txt" not in reply.body or b"exit status" in reply.body
        outside.held(not reached, f"{line!r} reached pip: {reply.body[:300]!r}")
        outside.kept_secret(reply)
        outside.untouched()
    reply = outside.daemon.post_archive("attacker/ar102", archive({"main.py": APPLY, "requirements.txt": b"# none\n"}))
    outside.held(reply.status == 201, f"the honest deploy was answered {reply!r:.300}")
    outside.answered(outside.call("x", algorithm="attacker/ar102"), "x")
