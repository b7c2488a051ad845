"""FS1: opens what every host has and no box needs."""
import errno

DEED = "opens password hashes, kernel memory, devices, logs and the canary of the host"
EXPECTED = "none of it is there"
CLASS = "reading the host"
PATHS = ("/etc/shadow", "/etc/hostname", "/root/.bashrc", "/var/log/syslog", "/run/systemd", "/sys/kernel",
         "/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/sda", "/boot", "/mnt", "/srv")


def apply(more):
    return {path: attempt(path) for path in (*PATHS, *more)}


def attempt(path):
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "read"


def judge(outside):
    reply = outside.call([outside.canaries.file, outside.daemon.state + "/ledger.db"])
    outside.each(reply, "ENOENT", "EACCES", "EPERM")
    outside.kept_secret(reply)
    outside.untouched()
