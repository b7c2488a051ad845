"""FS2: writes where programs and code lie."""
import errno
import glob
import os

DEED = "writes into /usr, /etc, the runtime and its own code, and changes modes, owners and times there"
EXPECTED = "everything but /tmp and /dev/shm is read-only; the version in the store stays as it was deployed"
CLASS = "writing to the host"
NAME = "faasd-attack-fs2"
FOLDERS = ("/", "/usr", "/usr/lib", "/usr/lib/python3", "/usr/local", "/etc", "/etc/alternatives", "/rt", "/fn", "/fn/code",
           "/fn/code/__pycache__", "/fn/lock", "/home", "/opt/algorithm", "/dev", "/proc/1")
FILES = (__file__, "/rt/worker.py", "/usr/lib/os-release", "/etc/passwd", "/etc/ld.so.cache")


def apply(_):
    found = {f"make {folder}": attempt(lambda: open(f"{folder}/{NAME}", "w").close()) for folder in FOLDERS}
    for file in FILES:
        found[f"append {file}"] = attempt(lambda: open(file, "a").write("#"))
        found[f"truncate {file}"] = attempt(lambda: os.truncate(file, 0))
        found[f"mode {file}"] = attempt(lambda: os.chmod(file, 0o777))
        found[f"owner {file}"] = attempt(lambda: os.chown(file, 1000, 1000))
        found[f"times {file}"] = attempt(lambda: os.utime(file, (0, 0)))
        found[f"remove {file}"] = attempt(lambda: os.unlink(file))
        found[f"replace {file}"] = attempt(lambda: (open("/tmp/new", "w").close(), os.rename("/tmp/new", file)))
    return found


def attempt(deed):
    try:
        deed()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def judge(outside):
    reply = outside.call()
    made = [f"{folder}/{NAME}" for folder in FOLDERS if os.path.exists(f"{folder}/{NAME}")]
    outside.held(not made, f"the host has {made}")
    (stored,) = glob.glob(f"{outside.daemon.state}/store/*/code/fs2.py")
    with open(stored, "rb") as deployed, open(outside.source, "rb") as source:
        outside.held(deployed.read() == source.read(), "the code in the store was changed")
    outside.held(os.stat(stored).st_mtime > 0, "the times in the store were changed")
    outside.each(reply, "ENOSYS", "EROFS", "EACCES", "EPERM", "EXDEV", "ENOENT")
