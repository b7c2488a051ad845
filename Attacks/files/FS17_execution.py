"""FS17: executes what it wrote."""
import ctypes
import os
import shutil
import subprocess

DEED = "writes a program to /tmp, /dev/shm and anonymous memory, and executes it by name, by descriptor and by the loader"
EXPECTED = "only programs of the root and the version run; each that runs leaves a mark, and outside one mark is seen"
CLASS = "running programs of its own"
SYS_EXECVEAT, AT_EMPTY_PATH = 322, 0x1000
LOADER = "/lib64/ld-linux-x86-64.so.2"
libc = ctypes.CDLL(None, use_errno=True)


def apply(_):
    shutil.copy("/usr/bin/touch", "/tmp/program")
    shutil.copy("/usr/bin/touch", "/dev/shm/program")
    for place in ("/tmp/program", "/dev/shm/program"):
        os.chmod(place, 0o777)
    with open("/tmp/script", "w") as script:
        script.write("#!/usr/bin/touch\n")
    os.chmod("/tmp/script", 0o777)
    for flags in (0, os.MFD_ALLOW_SEALING, 0x10):
        try:
            memory = os.memfd_create("program", flags)
        except OSError:
            continue
        with open("/usr/bin/touch", "rb") as program:
            os.write(memory, program.read())
        run(["/proc/self/fd/%d" % memory], f"memory-{flags}", memory)
        run([LOADER, "/proc/self/fd/%d" % memory], f"loader-memory-{flags}", memory)
        by_descriptor(memory, f"execveat-{flags}")
    run(["/usr/bin/touch"], "honest")
    run(["/tmp/program"], "tmp")
    run(["/tmp/script"], "script")
    run(["/dev/shm/program"], "shm")
    run([LOADER, "/tmp/program"], "loader-tmp")
    run([LOADER, "/dev/shm/program"], "loader-shm")
    by_descriptor(os.open("/tmp/program", os.O_PATH), "execveat-tmp")


def run(command, mark, *keep):
    try:
        subprocess.run([*command, f"/tmp/mark-{mark}"], pass_fds=keep, stderr=subprocess.DEVNULL, timeout=2)
    except OSError:
        pass


def by_descriptor(descriptor, mark):
    if (child := os.fork()) == 0:
        words = (ctypes.c_char_p * 3)(b"touch", f"/tmp/mark-{mark}".encode(), None)
        libc.syscall(ctypes.c_long(SYS_EXECVEAT), descriptor, b"", words, (ctypes.c_char_p * 1)(None), AT_EMPTY_PATH)
        os._exit(1)
    os.waitpid(child, 0)


def judge(outside):
    outside.answered(outside.call(), None)
    marks = {name for name in os.listdir(outside.root() + "/tmp") if name.startswith("mark-")}
    outside.held(marks == {"mark-honest"}, f"programs ran and left {sorted(marks)}")
