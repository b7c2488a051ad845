"""FS102: writes to the inodes of the devices."""
import os

DEED = "sets times, modes, owners and attributes of /dev/null and the other devices, which are the host's own nodes"
EXPECTED = "the host's nodes stay as they were"
CLASS = "writing to the host"
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def apply(_):
    for device in DEVICES:
        opened = os.open(device, os.O_RDONLY)
        for deed in (lambda: os.utime(device), lambda: os.utime(opened), lambda: os.utime(device, (1, 1)),
                     lambda: os.chmod(device, 0), lambda: os.fchmod(opened, 0), lambda: os.chown(device, 1000, 1000), lambda: os.truncate(device, 0),
                     lambda: os.unlink(device), lambda: os.rename(device, "/dev/moved"),
                     lambda: os.setxattr(device, "user.faasd", b"1"), lambda: os.utime(f"/proc/self/fd/{opened}")):
            try:
                deed()
            except OSError:
                pass
        os.close(opened)


def judge(outside):
    def states():
        return {device: (status.st_mode, status.st_uid, status.st_gid, status.st_nlink, status.st_mtime_ns, status.st_ctime_ns)
                for device in DEVICES for status in (os.stat(device),)}

    before = states()
    outside.call()
    changed = [device for device, state in states().items() if state != before[device]]
    outside.held(not changed, f"nodes of the host were changed: {', '.join(changed)}")
