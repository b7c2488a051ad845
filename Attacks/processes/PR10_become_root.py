"""PR10: becomes somebody else."""
import ctypes
import errno
import os
import signal
import stat
import subprocess

DEED = "asks for user and group 0, for capabilities, and runs every setuid program there is"
EXPECTED = "each call is refused; no process of its box was ever another user or had a capability"
CLASS = "gaining privileges"
LIBC = ctypes.CDLL(None, use_errno=True)
CALLS = {"setuid": 105, "setgid": 106, "setreuid": 113, "setregid": 114, "setgroups": 116, "setresuid": 117,
         "setresgid": 119, "setfsuid": 122, "setfsgid": 123}
HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)
ALL = (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)


def apply(_):
    found = {name: attempt(number, 0, 0, 0) for name, number in CALLS.items()}
    found["capset"] = attempt(126, ctypes.addressof(HEADER), ctypes.addressof(ALL))
    for folder in ("/usr/bin", "/usr/sbin", "/usr/lib/openssh", "/usr/lib/dbus-1.0"):
        for entry in os.scandir(folder) if os.path.isdir(folder) else ():
            if entry.stat(follow_symlinks=False).st_mode & (stat.S_ISUID | stat.S_ISGID) and entry.is_file():
                try:
                    subprocess.run([entry.path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=0.1)
                except (OSError, subprocess.TimeoutExpired):
                    pass
    return found


def attempt(*words):
    """What a system call of a child comes to: the name of an error or of a signal, or `done`."""
    if (child := os.fork()) == 0:
        is_refused = LIBC.syscall(*map(ctypes.c_long, words)) == -1
        os._exit(ctypes.get_errno() if is_refused else 255)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    code = os.WEXITSTATUS(status)
    return "done" if code == 255 else errno.errorcode.get(code, str(code))


def judge(outside):
    import boxes

    def look():
        return {(boxes.status(pid)["Uid"], boxes.status(pid)["Gid"], boxes.status(pid)["CapEff"], boxes.status(pid)["NoNewPrivs"])
                for pid in outside.awake()}

    outside.answered(outside.call(), {name: "EPERM" for name in (*CALLS, "capset")})
    with outside.watch(look, every=0.002) as seen:
        outside.call()
    users = set().union(*seen)
    outside.held(len(users) == 1, f"its processes ran as {users}")
    uid, gid, capabilities, is_bound = users.pop()
    users, groups = {*uid.split()}, {*gid.split()}
    outside.held(len(users) == len(groups) == 1 and int(min(users | groups)) >= 100_000 and int(capabilities, 16) == 0 and is_bound == "1",
                 f"they ran as {uid}, {gid}, {capabilities}, {is_bound}")
