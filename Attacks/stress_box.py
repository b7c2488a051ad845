"""stress-ng as an algorithm: what is deployed, and what of it runs in the box.

This file is deployed under the name of the algorithm, beside stress-ng and the shared libraries that it needs.
"""
import os
import subprocess
import time

HOME = os.path.dirname(os.path.abspath(__file__))
ROOT_LIBRARY = "libroot.so"
PAUSE_SECONDS = 0.1


def apply(wish):
    """Runs stress-ng with these arguments, and answers with its exit code, negative for a signal.

    An endless wish runs one for each list of arguments, all at once, starts each again when it ends, and never answers.
    What they say goes to the log of the call, which outlives a box that is killed.
    """
    environment = {**os.environ, "LD_LIBRARY_PATH": HOME}
    if wish["claims_root"]:
        environment["LD_PRELOAD"] = os.path.join(HOME, ROOT_LIBRARY)
    if not wish["is_endless"]:
        return {"code": start(wish["commands"][0], environment).wait()}
    running = [None] * len(wish["commands"])
    while True:
        for number, arguments in enumerate(wish["commands"]):
            if running[number] is None or running[number].poll() is not None:
                try:
                    running[number] = start(arguments, environment)
                except OSError:
                    pass  # There is no room for another process now.
        time.sleep(PAUSE_SECONDS)


def start(arguments, environment):
    command = [os.path.join(HOME, "stress-ng"), *arguments]
    return subprocess.Popen(command, env=environment, cwd="/tmp", stdin=subprocess.DEVNULL, stdout=1, stderr=1)


# On the host.

def pack(folder, name):
    """Puts everything that the algorithm NAME consists of into a folder."""
    import shutil

    import stress_root

    program = shutil.which("stress-ng")
    assert program, "stress-ng is not installed: apt-get install stress-ng"
    shutil.copy(program, os.path.join(folder, "stress-ng"))
    for library, path in libraries(program):
        shutil.copy(path, os.path.join(folder, library))
    shutil.copy(__file__, os.path.join(folder, f"{name}.py"))
    with open(os.path.join(folder, ROOT_LIBRARY), "wb") as file:
        file.write(stress_root.library())


def libraries(program):
    """The shared libraries of a program, (name, path) each; the loader is the box's own."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for line in said.splitlines():
        words = line.split()
        if "=>" in words:
            yield words[0], words[2]


def classes():
    """What stress-ng knows: {class: [stressor, …]}."""
    said = ask("--class", "which?").partition("available classes:")[2]
    return {name: ask("--class", f"{name}?").partition("stressors:")[2].split() for name in said.split()}


def version():
    """The version of stress-ng."""
    return ask("--version").partition("version ")[2].split()[0]


def ask(*arguments):
    """What stress-ng on the host says."""
    done = subprocess.run(["stress-ng", *arguments], capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr
