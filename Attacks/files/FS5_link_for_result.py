"""FS5: puts a link where the result is collected."""
from archives import archive

DEED = "a published algorithm replaces its answer pipe /tmp/algoout with links to files of the host and of the runtime"
EXPECTED = "nobody outside follows: no result, no byte of the host, and the next call is served anew"
CLASS = "confused collector"
CODE = b'''import os
def apply(target):
    if not target:
        return "honest"
    os.unlink("/tmp/algoout")
    os.symlink(target, "/tmp/algoout")
    return "linked to " + target
'''
NAME = "attacker/fs5"


def judge(outside):
    files = {"src/fs5.py": CODE, "src/__init__.py": b"", "algorithmia.conf": b'{"algorithm_name": "fs5"}'}
    reply = outside.daemon.post_archive(NAME, archive(files))
    outside.held(reply.status == 201, f"the deploy was answered {reply!r:.300}")
    outside.answered(outside.call("", algorithm=NAME), "honest")
    for target in (outside.canaries.file, outside.canaries.folder + "/made", "/proc/1/fd/4", "/proc/1/root" + outside.canaries.file,
                   outside.daemon.state + "/ledger.db", "/etc/passwd", "/tmp/algoout"):
        reply = outside.call(target, algorithm=NAME)
        outside.kept_secret(reply)
        outside.held("result" not in reply.json, f"{target} was taken for a result: {reply.body[:300]!r}")
        outside.untouched()
    outside.answered(outside.call("", algorithm=NAME), "honest")
    outside.daemon.audit()
